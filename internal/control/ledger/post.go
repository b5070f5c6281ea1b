package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// PostTx appends a journal in the caller's transaction and returns it, or the
// one that was posted under the same key with the same content before.
// ErrUnbalanced, ErrKeyReused, ErrBelowMin, ErrAboveMax; db.ErrRetry never
// leaves InTx.
func (s *Service) PostTx(ctx context.Context, tx *db.Tx, e Entry) (Journal, error) {
	if err := e.check(); err != nil {
		return Journal{}, err
	}
	j := Journal{ID: id.New("jnl"), Entry: e, RecordedAt: s.d.Clock.Now(), Reverses: e.reverses}
	fresh, err := insertJournal(ctx, tx, j)
	if err != nil {
		return Journal{}, err
	}
	if !fresh {
		return s.again(ctx, tx, e)
	}
	accounts, err := s.lock(ctx, tx, e.Postings)
	if err != nil {
		return Journal{}, err
	}
	for i, p := range e.Postings {
		if err := accounts[p.key()].add(p.Amount.Minor); err != nil {
			return Journal{}, err
		}
		if err := insertPosting(ctx, tx, j.ID, i+1, p, accounts[p.key()]); err != nil {
			return Journal{}, err
		}
	}
	return j, s.settle(ctx, tx, accounts)
}

// ReverseTx posts the opposite of a journal under a key of its own. A journal
// can be reversed once.
func (s *Service) ReverseTx(ctx context.Context, tx *db.Tx, journal, key, actor, memo string) (Journal, error) {
	j, err := getJournal(ctx, tx, journal)
	if err != nil {
		return Journal{}, err
	}
	e := Entry{
		Key: key, Kind: "reversal", OccurredAt: j.Entry.OccurredAt, RefType: j.Entry.RefType, RefID: j.Entry.RefID,
		Actor: actor, Memo: memo, reverses: journal,
	}
	for _, p := range j.Entry.Postings {
		n, err := p.Amount.Neg()
		if err != nil {
			return Journal{}, err
		}
		e.Postings = append(e.Postings, Posting{p.Account, n})
	}
	return s.PostTx(ctx, tx, e)
}

// again answers a key that is known.
func (s *Service) again(ctx context.Context, tx *db.Tx, e Entry) (Journal, error) {
	j, content, err := getByKey(ctx, tx, e.Key)
	if err != nil {
		return Journal{}, err
	}
	if content != e.content() {
		return Journal{}, ErrKeyReused.With("journal", j)
	}
	return getJournal(ctx, tx, j)
}

func (e Entry) check() error {
	if e.Key == "" || e.Kind == "" || len(e.Postings) < 2 {
		return fmt.Errorf("%w: entry %q of kind %q has %d lines", ErrUnbalanced, e.Key, e.Kind, len(e.Postings))
	}
	sums := map[money.Currency]money.Money{}
	for _, p := range e.Postings {
		if _, err := p.Account.Kind(); err != nil {
			return err
		}
		if p.Amount.IsZero() {
			return fmt.Errorf("%w: entry %q posts zero to %s", ErrUnbalanced, e.Key, p.Account)
		}
		sum, err := money.New(sums[p.Amount.Cur].Minor, p.Amount.Cur).Add(p.Amount)
		if err != nil {
			return err
		}
		sums[p.Amount.Cur] = sum
	}
	for cur, sum := range sums {
		if !sum.IsZero() {
			return fmt.Errorf("%w: entry %q is off by %s %s", ErrUnbalanced, e.Key, sum, cur)
		}
	}
	return nil
}

// content digests what makes two entries the same: all but the key and times.
func (e Entry) content() string {
	raw, err := json.Marshal([]any{e.Kind, e.RefType, e.RefID, e.Memo, e.reverses, e.Postings})
	if err != nil {
		panic(err) // strings and integers only
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

func (p Posting) key() string { return string(p.Account) + "\x00" + string(p.Amount.Cur) }

// row is an account under lock.
type row struct {
	id       string
	code     Code
	currency money.Currency
	kind     Kind
	balance  int64
	version  int64
	min, max *int64
	was      int64 // version when read
}

func (r *row) add(amount int64) error {
	sum, err := money.New(r.balance, r.currency).Add(money.New(amount, r.currency))
	if err != nil {
		return err
	}
	r.balance, r.version = sum.Minor, r.version+1
	return nil
}

// check compares the final balance with the bounds: within one journal an
// account may pass through a balance that it could not keep.
func (r *row) check() error {
	side := r.kind.normal(r.balance)
	if r.min != nil && side < *r.min {
		return ErrBelowMin
	}
	if r.max != nil && side > *r.max {
		return ErrAboveMax
	}
	return nil
}

// lock opens missing accounts, then locks all of them in ascending id order so
// that two journals over the same accounts never wait for each other in a ring.
func (s *Service) lock(ctx context.Context, tx *db.Tx, lines []Posting) (map[string]*row, error) {
	var ids []string
	seen := map[string]bool{}
	for _, p := range lines {
		if seen[p.key()] {
			continue
		}
		seen[p.key()] = true
		account, err := openAccount(ctx, tx, p.Account, p.Amount.Cur, s.d.Clock.Now())
		if err != nil {
			return nil, err
		}
		ids = append(ids, account)
	}
	slices.Sort(ids)
	all := map[string]*row{}
	for _, account := range ids {
		r, err := lockAccount(ctx, tx, account)
		if errs.CodeOf(err) == ErrAccount.Code { // closed since it was found: it is opened anew
			return nil, db.ErrRetry
		}
		if err != nil {
			return nil, err
		}
		all[Posting{r.code, money.New(0, r.currency)}.key()] = &r
	}
	return all, nil
}

func (s *Service) settle(ctx context.Context, tx *db.Tx, accounts map[string]*row) error {
	ordered := make([]*row, 0, len(accounts))
	for _, r := range accounts {
		ordered = append(ordered, r)
	}
	slices.SortFunc(ordered, func(a, b *row) int { return strings.Compare(a.id, b.id) })
	for _, r := range ordered {
		if err := r.check(); err != nil {
			return err
		}
		err := tx.ExecOne(ctx, db.ErrRetry, "UPDATE ledger_account SET balance = $1, version = $2 WHERE id = $3 AND version = $4",
			r.balance, r.version, r.id, r.was)
		if err != nil {
			return fmt.Errorf("settling account %s: %w", r.id, err)
		}
	}
	return nil
}
