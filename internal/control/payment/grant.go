package payment

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/ledger"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// GrantKind is what staff give.
type GrantKind string

// Kinds of grant.
const (
	GiftGrant     GrantKind = "gift"     // ends, is spent first, never paid out
	GoodwillGrant GrantKind = "goodwill" // the customer's own, as if paid in
)

// Grant is money that staff give to a customer.
type Grant struct {
	ID        string // grt_...
	Kind      GrantKind
	Account   account.ID
	Amount    money.Money
	Left      money.Money // of a gift: not spent, not over
	ExpiresAt time.Time   // of a gift
	Reason    string
	State     Decision
	AskedBy   id.Handle
	AskedAt   time.Time
	DecidedBy id.Handle
	DecidedAt time.Time
	Journal   string
	Version   int64
}

// GrantRequest asks for a grant.
type GrantRequest struct {
	Kind      GrantKind
	Account   account.ID
	Amount    money.Money
	ExpiresAt time.Time // of a gift
	Reason    string    // 1..200 characters
}

const maxReason = 200

func validText(text string, most int) bool {
	return strings.TrimSpace(text) != "" && utf8.ValidString(text) && utf8.RuneCountInString(text) <= most
}

func (r GrantRequest) check(now time.Time) error {
	gift := r.Kind == GiftGrant && r.ExpiresAt.After(now)
	if !gift && (r.Kind != GoodwillGrant || !r.ExpiresAt.IsZero()) {
		return ErrGrant
	}
	if r.Amount.Minor <= 0 || r.Amount.Cur != money.CNY || !validText(r.Reason, maxReason) {
		return ErrGrant
	}
	return nil
}

// Give gives a customer money, for staff with payment.book who proved themselves
// just now. More than one person may give alone waits for another. ErrGrant,
// ErrOneself for one's own account, ErrStaffOnly, account.ErrStepUp, and
// account's error for an account that is not there.
func (s *Service) Give(ctx context.Context, p account.Principal, r GrantRequest) (Grant, error) {
	now := s.d.Clock.Now()
	if err := errors.Join(s.mayBook(p), r.check(now)); err != nil {
		return Grant{}, err
	}
	owner, err := s.d.Owners.Owner(ctx, r.Account)
	if err != nil {
		return Grant{}, err
	}
	if owner == p.Subject {
		return Grant{}, ErrOneself
	}
	g := Grant{
		ID: id.New("grt"), Kind: r.Kind, Account: r.Account, Amount: r.Amount, Left: money.New(0, r.Amount.Cur), ExpiresAt: r.ExpiresAt,
		Reason: r.Reason, State: Waiting, AskedBy: p.Subject, AskedAt: now, Version: 1,
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		if err := insertGrant(ctx, tx, g); err != nil {
			return err
		}
		if err := s.grantAuditTx(ctx, tx, "payment.grant_asked", g, owner, p); err != nil {
			return err
		}
		if alone, err := s.mayAloneTx(ctx, tx, p.Subject, r.Amount, now); err != nil || !alone {
			return err
		}
		g, err = s.bookGrantTx(ctx, tx, g, owner, p)
		return err
	})
	return g, err
}

// DecideGrant books or refuses a grant that waits, for another person than who
// asked and who gets it: ErrOneself. ErrNoGrant, ErrTransition.
func (s *Service) DecideGrant(ctx context.Context, p account.Principal, grantID string, v Verdict) (Grant, error) {
	if err := s.mayBook(p); err != nil {
		return Grant{}, err
	}
	was, err := getGrant(ctx, s.d.DB, grantID)
	if err != nil {
		return Grant{}, err
	}
	owner, err := s.d.Owners.Owner(ctx, was.Account)
	if err != nil {
		return Grant{}, err
	}
	if p.Subject == was.AskedBy || p.Subject == owner {
		return Grant{}, ErrOneself
	}
	var out Grant
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		g, err := getGrant(ctx, tx, grantID)
		if err != nil {
			return err
		}
		if v == Book && g.Kind == GiftGrant && !g.ExpiresAt.After(s.d.Clock.Now()) {
			return ErrGrant // it would be over at once
		}
		if v == Book {
			out, err = s.bookGrantTx(ctx, tx, g, owner, p)
			return err
		}
		next := g
		if next.State, err = g.State.next(v); err != nil {
			return err
		}
		next.DecidedBy, next.DecidedAt = p.Subject, s.d.Clock.Now()
		if out, err = saveGrant(ctx, tx, g, next); err != nil {
			return err
		}
		return s.grantAuditTx(ctx, tx, "payment.grant_refused", out, owner, p)
	})
	return out, err
}

func (s *Service) bookGrantTx(ctx context.Context, tx *db.Tx, g Grant, owner id.Handle, p account.Principal) (Grant, error) {
	next, err := g, error(nil)
	if next.State, err = g.State.next(Book); err != nil {
		return g, err
	}
	key, from, to := "adj:", ledger.Goodwill, ledger.Wallet(string(g.Account))
	if g.Kind == GiftGrant {
		key, from, to, next.Left = "gift:", ledger.Promo, ledger.Gift(string(g.Account)), g.Amount
	}
	next.DecidedBy, next.DecidedAt = p.Subject, s.d.Clock.Now()
	j, err := s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: key + g.ID, Kind: string(g.Kind), OccurredAt: next.DecidedAt, RefType: "grant", RefID: g.ID, Actor: string(p.Subject), Memo: "given",
		Postings: []ledger.Posting{ledger.Debit(from, g.Amount), ledger.Credit(to, g.Amount)},
	})
	if err != nil {
		return g, err
	}
	fault.Point("grant-after-ledger")
	next.Journal = j.ID
	if next, err = saveGrant(ctx, tx, g, next); err != nil {
		return g, err
	}
	return next, s.grantAuditTx(ctx, tx, "payment.grant_booked", next, owner, p)
}

func (s *Service) grantAuditTx(ctx context.Context, tx *db.Tx, kind string, g Grant, owner id.Handle, p account.Principal) error {
	return s.d.Audit.AppendTx(ctx, tx, audit.Event{
		Type: kind, Subject: owner, Account: string(g.Account), Actor: audit.Actor{Class: "staff", Handle: p.Subject, Session: p.Session},
		Detail: map[string]string{"grant": g.ID, "kind": string(g.Kind), "journal": g.Journal},
	})
}

// Grants lists what staff gave, newest first, older than the one with id before
// (empty = from the newest), for staff with payment.read.
func (s *Service) Grants(ctx context.Context, p account.Principal, before string, limit int) ([]Grant, error) {
	if !p.Can("payment.read") {
		return nil, ErrStaffOnly
	}
	if before == "" {
		before = "grt_~" // sorts after every id
	}
	return db.Select(ctx, s.d.DB, scanGrant, grantColumns+" WHERE id < $1 ORDER BY id DESC LIMIT $2", before, int64(limit))
}

// Gifts returns the gifts of an account of which something is left, the one that
// ends first first.
func (s *Service) Gifts(ctx context.Context, owner account.ID) ([]Grant, error) {
	return db.Select(ctx, s.d.DB, scanGrant, grantColumns+` WHERE account_id = $1 AND kind = 'gift' AND state = 'booked' AND left_minor > 0
		AND expires_at > $2 ORDER BY expires_at, id`, string(owner), db.Micros(s.d.Clock.Now()))
}

const giftsEvery = time.Hour

// endGifts takes back what is left of gifts that are over. One of which a part is
// held waits for the end of the hold, so that each is ended once.
func (s *Service) endGifts(ctx context.Context) error {
	over, err := db.Select(ctx, s.d.DB, db.One[string], `SELECT g.id FROM payment_grant g WHERE g.kind = 'gift' AND g.state = 'booked' AND g.left_minor > 0
		AND g.expires_at <= $1 ORDER BY g.id LIMIT 500`, db.Micros(s.d.Clock.Now()))
	if err != nil {
		return err
	}
	var all []error
	for _, g := range over {
		all = append(all, s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.endGiftTx(ctx, tx, g) }))
	}
	return errors.Join(all...)
}

// ForfeitGifts takes back what is left of an account's gifts, which ends.
func (s *Service) ForfeitGifts(ctx context.Context, owner account.ID) error {
	left, err := db.Select(ctx, s.d.DB, db.One[string], `SELECT id FROM payment_grant WHERE account_id = $1 AND kind = 'gift' AND state = 'booked'
		AND left_minor > 0 ORDER BY id`, string(owner))
	if err != nil {
		return err
	}
	var all []error
	for _, g := range left {
		all = append(all, s.d.DB.InTx(ctx, func(tx *db.Tx) error { return s.endGiftTx(ctx, tx, g) }))
	}
	return errors.Join(all...)
}

func (s *Service) endGiftTx(ctx context.Context, tx *db.Tx, grantID string) error {
	held, err := db.Get(ctx, tx, nil, db.One[int64], `SELECT count(*) FROM payment_gift_use u JOIN payment_attempt a ON a.attempt_no = u.ref
		WHERE u.grant_id = $1 AND a.hold = 'held'`, grantID)
	if err != nil || held > 0 {
		return err
	}
	g, err := getGrant(ctx, tx, grantID)
	if err != nil || g.Left.IsZero() {
		return err
	}
	_, err = s.d.Ledger.PostTx(ctx, tx, ledger.Entry{
		Key: "giftx:" + g.ID, Kind: "gift_over", OccurredAt: earlier(g.ExpiresAt, s.d.Clock.Now()), RefType: "grant", RefID: g.ID, Actor: "system", Memo: "over",
		Postings: []ledger.Posting{ledger.Debit(ledger.Gift(string(g.Account)), g.Left), ledger.Credit(ledger.Promo, g.Left)},
	})
	if err != nil {
		return err
	}
	fault.Point("gift-after-ledger")
	next := g
	next.Left.Minor = 0
	_, err = saveGrant(ctx, tx, g, next)
	return err
}

func insertGrant(ctx context.Context, tx *db.Tx, g Grant) error {
	_, err := tx.Exec(ctx, `INSERT INTO payment_grant (id, kind, account_id, amount_minor, currency, left_minor, expires_at, reason, state, version,
		asked_by, asked_at, decided_by, decided_at, journal_id) VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10, $11, '', 0, '')`,
		g.ID, string(g.Kind), string(g.Account), g.Amount.Minor, string(g.Amount.Cur), db.Micros(g.ExpiresAt), g.Reason, string(g.State), g.Version,
		string(g.AskedBy), db.Micros(g.AskedAt))
	return err
}

// saveGrant compares and sets state, version and what is left.
func saveGrant(ctx context.Context, tx *db.Tx, was, next Grant) (Grant, error) {
	next.Version = was.Version + 1
	err := tx.ExecOne(ctx, db.ErrRetry, `UPDATE payment_grant SET state = $1, version = $2, left_minor = $3, decided_by = $4, decided_at = $5, journal_id = $6
		WHERE id = $7 AND state = $8 AND version = $9 AND left_minor = $10`,
		string(next.State), next.Version, next.Left.Minor, string(next.DecidedBy), db.Micros(next.DecidedAt), next.Journal,
		was.ID, string(was.State), was.Version, was.Left.Minor)
	return next, err
}

const grantColumns = `SELECT id, kind, account_id, amount_minor, currency, left_minor, expires_at, reason, state, version, asked_by, asked_at,
	decided_by, decided_at, journal_id FROM payment_grant`

func scanGrant(r db.Row) (g Grant, err error) {
	var expires, asked, decided int64
	err = r.Scan(&g.ID, &g.Kind, &g.Account, &g.Amount.Minor, &g.Amount.Cur, &g.Left.Minor, &expires, &g.Reason, &g.State, &g.Version,
		&g.AskedBy, &asked, &g.DecidedBy, &decided, &g.Journal)
	g.Left.Cur, g.ExpiresAt, g.AskedAt, g.DecidedAt = g.Amount.Cur, db.FromMicros(expires), db.FromMicros(asked), db.FromMicros(decided)
	return g, err
}

func getGrant(ctx context.Context, q db.Q, grantID string) (Grant, error) {
	return db.Get(ctx, q, ErrNoGrant, scanGrant, grantColumns+" WHERE id = $1", grantID)
}
