package vpn

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/slogx"
)

// The quotas that staff set for an account (docs/decisions/0022-quotas.md). One
// that is lowered takes nothing away: it refuses what would be made after.
const (
	QuotaGateways     = "vpn_gateways" // in each region
	QuotaSSLGateways  = "ssl_gateways" // VPN gateways with the SSL service
	QuotaClients      = "ssl_clients"  // of each SSL server; by default four for each connection
	QuotaCertificates = "certificates" // uploaded ones
)

// SSLGatewayQuota is how many gateways with the SSL service an account may have.
const SSLGatewayQuota = 30

// AccountQuotas are the quotas that can be set and asked for.
func AccountQuotas() []string {
	return []string{QuotaGateways, QuotaSSLGateways, QuotaClients, QuotaCertificates}
}

const (
	quotaMost    = 100_000
	reasonLength = 200 // characters
)

// Topics of decisions about quotas, with QuotaDecided.
const (
	TopicQuotaSet      = "vpn.quota_set"
	TopicQuotaDeclined = "vpn.quota_declined"
)

// QuotaDecided tells an account what holds for it, or what it does not get.
type QuotaDecided struct {
	ID      string // of the decision
	Account account.ID
	Quota   string
	Limit   int
}

// QuotaRequest is what a customer asked for.
type QuotaRequest struct {
	Account account.ID
	Name    string
	Wanted  int
	AskedAt time.Time
}

// QuotaDecision is what staff decide about a quota of an account.
type QuotaDecision struct {
	Account account.ID
	Name    string
	Limit   int    // of SetQuota
	Reason  string // for the audit log: an id of a case, or words without personal data
}

func (d QuotaDecision) check() error {
	n := utf8.RuneCountInString(strings.TrimSpace(d.Reason))
	if slogx.Scrub(d.Reason) != d.Reason || !slices.Contains(AccountQuotas(), d.Name) || d.Limit < 0 || d.Limit > quotaMost || n < 1 || n > reasonLength {
		return ErrQuotaDecision.With("names", strings.Join(AccountQuotas(), ", ")).With("most", quotaMost)
	}
	return nil
}

var errDefault = errors.New("the default holds")

// quotaOf is what holds for an account.
func quotaOf(ctx context.Context, q db.Q, owner account.ID, name string, otherwise int) (int, error) {
	n, err := db.Get(ctx, q, errDefault, db.One[int64], "SELECT value FROM vpn_quota WHERE account = $1 AND name = $2", string(owner), name)
	if errors.Is(err, errDefault) {
		return otherwise, nil
	}
	return int(n), err
}

// holdQuota refuses one more than a quota allows.
func holdQuota(ctx context.Context, q db.Q, owner account.ID, name string, otherwise int, used int64) error {
	limit, err := quotaOf(ctx, q, owner, name, otherwise)
	if err == nil && used >= int64(limit) {
		err = ErrQuota.With("limit", limit)
	}
	return err
}

// AskQuota notes that a customer wants more of something; asking again replaces
// what was asked. Staff decide.
func (s *Service) AskQuota(ctx context.Context, p account.Principal, name string, wanted int) error {
	if err := (QuotaDecision{Name: name, Limit: wanted, Reason: "-"}).check(); err != nil || wanted == 0 {
		return ErrQuotaDecision.With("names", strings.Join(AccountQuotas(), ", ")).With("most", quotaMost)
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO vpn_quota_request (account, name, wanted, asked_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (account, name) DO UPDATE SET wanted = excluded.wanted, asked_at = excluded.asked_at`,
			string(p.Account), name, int64(wanted), db.Micros(s.clock.Now()))
		if err != nil {
			return err
		}
		return s.record(ctx, tx, p, "vpn.quota_asked", map[string]string{"quota": name, "limit": strconv.Itoa(wanted)})
	})
}

// QuotaRequests lists what is not decided, the oldest first; an empty owner is
// every account, for staff.
func (s *Service) QuotaRequests(ctx context.Context, owner account.ID) ([]QuotaRequest, error) {
	return db.Select(ctx, s.db, func(r db.Row) (q QuotaRequest, err error) {
		var wanted, at int64
		err = r.Scan(&q.Account, &q.Name, &wanted, &at)
		q.Wanted, q.AskedAt = int(wanted), db.FromMicros(at)
		return q, err
	}, "SELECT account, name, wanted, asked_at FROM vpn_quota_request WHERE $1 = '' OR account = $1 ORDER BY asked_at, account, name", string(owner))
}

// SetQuota gives an account a limit of its own, which answers what it asked for,
// and tells it. It is for staff with the permission fleet.write and for the
// operator's commands; the caller knows that the account exists.
func (s *Service) SetQuota(ctx context.Context, by account.Principal, d QuotaDecision) error {
	if err := d.check(); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO vpn_quota (account, name, value, set_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (account, name) DO UPDATE SET value = excluded.value, set_at = excluded.set_at`,
			string(d.Account), d.Name, int64(d.Limit), db.Micros(s.clock.Now()))
		if err != nil {
			return err
		}
		if err := answerQuota(ctx, tx, d, nil); err != nil {
			return err
		}
		return s.decidedTx(ctx, tx, by, TopicQuotaSet, d)
	})
}

// DeclineQuota answers what an account asked for with no; ErrQuotaRequest if it
// asks for nothing. It is for those whom SetQuota is for.
func (s *Service) DeclineQuota(ctx context.Context, by account.Principal, d QuotaDecision) error {
	if err := d.check(); err != nil {
		return err
	}
	return s.db.InTx(ctx, func(tx *db.Tx) error {
		if err := answerQuota(ctx, tx, d, ErrQuotaRequest); err != nil {
			return err
		}
		return s.decidedTx(ctx, tx, by, TopicQuotaDeclined, d)
	})
}

// answerQuota closes the request of an account; absent is the error without one.
func answerQuota(ctx context.Context, tx *db.Tx, d QuotaDecision, absent error) error {
	n, err := tx.Exec(ctx, "DELETE FROM vpn_quota_request WHERE account = $1 AND name = $2", string(d.Account), d.Name)
	if err == nil && n == 0 {
		err = absent
	}
	return err
}

// decidedTx records a decision and tells the account of it.
func (s *Service) decidedTx(ctx context.Context, tx *db.Tx, by account.Principal, topic string, d QuotaDecision) error {
	actor := audit.Actor{Class: "system"}
	if by.Subject != "" {
		actor = audit.Actor{Class: "staff", Handle: by.Subject, Session: by.Session}
	}
	err := s.audit.AppendTx(ctx, tx, audit.Event{
		Type: topic, Subject: by.Subject, Account: string(d.Account), Actor: actor,
		Detail: map[string]string{"quota": d.Name, "limit": strconv.Itoa(d.Limit), "reason": strings.TrimSpace(d.Reason)},
	})
	if err != nil {
		return err
	}
	return s.queue.PublishTx(ctx, tx, topic, QuotaDecided{ID: id.New("quo"), Account: d.Account, Quota: d.Name, Limit: d.Limit})
}
