package invoice

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
)

// Filter narrows a list. What is empty does not.
type Filter struct {
	Account account.ID
	Kind    Kind
	Order   string
	From    time.Time // issued then or later
	Until   time.Time // issued before
	Number  string    // "INV-2026-000017"

	number number
}

type number struct {
	series string
	year   int
	seq    int64
}

// parse reads a number as Document.Number writes it; ErrFilter.
func parse(text string) (n number, err error) {
	parts := strings.Split(text, "-")
	if len(parts) != 3 || parts[0] == "" {
		return n, ErrFilter
	}
	if n.year, err = strconv.Atoi(parts[1]); err != nil {
		return n, ErrFilter
	}
	if n.seq, err = strconv.ParseInt(parts[2], 10, 64); err != nil {
		return n, ErrFilter
	}
	n.series = parts[0]
	return n, nil
}

func (f Filter) ready() (Filter, error) {
	if f.Kind != "" && f.Kind != Invoice && f.Kind != CreditNote {
		return f, ErrFilter
	}
	if f.Number = strings.TrimSpace(f.Number); f.Number == "" {
		return f, nil
	}
	var err error
	f.number, err = parse(strings.ToUpper(f.Number))
	return f, err
}

// List returns an account's documents without their lines, newest first, at most limit (1..100), older
// than the one with id before (empty = from the newest); ErrNotFound for a before
// that is not the account's.
func (s *Service) List(ctx context.Context, owner account.ID, f Filter, before string, limit int) ([]Document, error) {
	if before != "" {
		if _, err := s.Get(ctx, owner, before); err != nil {
			return nil, err
		}
	}
	f.Account = owner
	return s.list(ctx, f, before, limit)
}

func (s *Service) list(ctx context.Context, f Filter, before string, limit int) ([]Document, error) {
	f, err := f.ready()
	if err != nil {
		return nil, err
	}
	return list(ctx, s.d.DB, f, before, min(max(limit, 1), 100))
}

// Get returns a document of the account; ErrNotFound for another's.
func (s *Service) Get(ctx context.Context, owner account.ID, document string) (Document, error) {
	d, err := getDocument(ctx, s.d.DB, document)
	if err == nil && d.Account != owner {
		return Document{}, ErrNotFound
	}
	return d, err
}

// Credits returns the credit notes of an invoice, newest first.
func (s *Service) Credits(ctx context.Context, of Document) ([]Document, error) {
	return s.list(ctx, Filter{Account: of.Account, Order: of.Order, Kind: CreditNote}, "", 100)
}

// ListAll is List over all accounts, for staff with payment.read.
func (s *Service) ListAll(ctx context.Context, p account.Principal, f Filter, before string, limit int) ([]Document, error) {
	if !p.Can(account.PermPaymentRead) {
		return nil, ErrStaffOnly
	}
	return s.list(ctx, f, before, limit)
}

// GetAny returns any document, for staff with payment.read.
func (s *Service) GetAny(ctx context.Context, p account.Principal, document string) (Document, error) {
	if !p.Can(account.PermPaymentRead) {
		return Document{}, ErrStaffOnly
	}
	return getDocument(ctx, s.d.DB, document)
}
