package order

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// Quote computes a price. It promises the price until ExpiresAt as long as the
// catalogue stays. Errors are those of catalog, ErrKind and ErrCount.
func (s *Service) Quote(ctx context.Context, r QuoteRequest) (Quote, error) {
	return s.quote(ctx, s.d.DB, r, s.d.Clock.Now().Add(QuoteLife).Truncate(time.Second))
}

// quote is the one function that makes prices, before and inside the
// transaction that places the order.
func (s *Service) quote(ctx context.Context, q db.Q, r QuoteRequest, expires time.Time) (Quote, error) {
	if r.Kind == KindUpgrade {
		return s.quoteUpgrade(ctx, q, r, expires)
	}
	if r.Kind == KindRenew {
		return s.quoteRenew(ctx, q, r, expires)
	}
	if r.Kind != KindNew {
		return Quote{}, ErrKind
	}
	if r.Count < 1 || r.Count > MaxCount {
		return Quote{}, ErrCount.With("max", MaxCount)
	}
	list, err := s.d.Catalog.Current(ctx, q, r.Product, r.Region)
	if err != nil {
		return Quote{}, err
	}
	if err := list.CheckCycle(r.Cycle); err != nil {
		return Quote{}, err
	}
	items, err := list.Items(r.Options)
	if err != nil {
		return Quote{}, err
	}
	line := QuoteLine{Kind: Recurring, Amount: money.New(0, list.Currency)}
	for _, i := range items {
		minor, err := money.MulDiv(i.Monthly.Minor, int64(r.Cycle), 1)
		if err != nil {
			return Quote{}, err
		}
		item := QuoteItem{i.Option, i.Value, money.New(minor, list.Currency)}
		if line.Amount, err = line.Amount.Add(item.Amount); err != nil {
			return Quote{}, err
		}
		line.Items = append(line.Items, item)
	}
	out := Quote{Request: r, Catalogue: list.Version, Total: money.New(0, list.Currency), ExpiresAt: expires}
	for n := range r.Count {
		line.Number = n + 1
		out.Lines = append(out.Lines, line)
		if out.Total, err = out.Total.Add(line.Amount); err != nil {
			return Quote{}, err
		}
	}
	out.Hash = out.digest()
	return out, nil
}

// digest covers all that decides the price, the price and its end. Nothing in
// it is secret: a client that makes a hash itself gets the present price,
// which is what it would be quoted.
func (q Quote) digest() string {
	expires := strconv.FormatInt(q.ExpiresAt.Unix(), 10)
	raw, err := json.Marshal([]any{2, q.Request, q.Catalogue, q.Lines, q.Total, q.Rest, expires}) // map keys are sorted
	if err != nil {
		panic(err) // strings and integers only
	}
	sum := sha256.Sum256(raw)
	return expires + "." + hex.EncodeToString(sum[:])
}

// hashExpiry reads the end of a quote from its hash.
func hashExpiry(hash string) (time.Time, error) {
	text, sum, ok := strings.Cut(hash, ".")
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil || len(sum) != sha256.Size*2 {
		return time.Time{}, ErrQuoteHash
	}
	return time.Unix(n, 0).UTC(), nil
}

// requote computes the quote that a hash stands for; *StaleQuote if the hash is
// too old or differs.
func (s *Service) requote(ctx context.Context, q db.Q, r QuoteRequest, hash string, now time.Time) (Quote, error) {
	expires, err := hashExpiry(hash)
	if err != nil {
		return Quote{}, err
	}
	again, err := s.quote(ctx, q, r, expires)
	if err != nil {
		return Quote{}, err
	}
	reason := ErrPriceChanged
	if again.Hash == hash {
		// A hash from further ahead than a quote lives was not made by Quote.
		if now.Before(expires) && !expires.After(now.Add(QuoteLife+time.Second)) {
			return again, nil
		}
		reason = ErrQuoteExpired
	}
	fresh, err := s.quote(ctx, q, r, now.Add(QuoteLife).Truncate(time.Second))
	if err != nil {
		return Quote{}, err
	}
	return Quote{}, &StaleQuote{Now: fresh, err: reason}
}
