package agreement

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// Contract is a processing agreement with a recipient, with what PIPL 21 wants
// agreed.
type Contract struct {
	ID          string
	Recipient   string   // id in the registry, of role processor
	SHA256      string   // of the signed document, 64 hexadecimal digits
	Purposes    []string // of the registry
	Kinds       []string // fields of the registry
	Method      string
	Safeguards  string
	Supervision string
	Begins      time.Time
	Ends        time.Time
	Approver    Approver
	At          time.Time
}

// live tells whether a contract is in force.
func (c Contract) live(now time.Time) bool { return !now.Before(c.Begins) && now.Before(c.Ends) }

// RecordContract adds a processing agreement. ErrIncomplete, ErrDigest, ErrDays,
// ErrRecipient and ErrBeyond say what is wrong with it.
func (s *Service) RecordContract(ctx context.Context, c Contract) (Contract, error) {
	c.ID, c.At = id.New("agr"), s.d.Clock.Now()
	if err := s.checkContract(c); err != nil {
		return Contract{}, err
	}
	err := s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO agreement_contract ("+contractColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
			c.ID, c.Recipient, c.SHA256, strings.Join(c.Purposes, " "), strings.Join(c.Kinds, " "), c.Method, c.Safeguards, c.Supervision,
			db.Micros(c.Begins), db.Micros(c.Ends), string(c.Approver.Subject), db.Micros(c.At))
		if err != nil {
			return err
		}
		return s.d.Audit.AppendTx(ctx, tx, audit.Event{
			Type: "agreement.recorded", Actor: c.Approver.actor(),
			Detail: map[string]string{
				"entry": c.ID, "recipient": c.Recipient, "sha256": c.SHA256, "purposes": strings.Join(c.Purposes, " "), "kinds": strings.Join(c.Kinds, " "),
				"begins": c.Begins.UTC().Format(time.RFC3339), "ends": c.Ends.UTC().Format(time.RFC3339),
			},
		})
	})
	return c, err
}

func (s *Service) checkContract(c Contract) error {
	all := s.d.Registry.Recipients()
	i := slices.IndexFunc(all, func(r egress.Recipient) bool { return r.ID == c.Recipient && s.d.Registry.NeedsAgreement(r) })
	if i < 0 {
		return ErrRecipient
	}
	if err := complete(map[string]string{
		"purposes": strings.Join(c.Purposes, ""), "kinds": strings.Join(c.Kinds, ""),
		"method": c.Method, "safeguards": c.Safeguards, "supervision": c.Supervision,
	}); err != nil {
		return err
	}
	var purposes, kinds []string
	for _, op := range all[i].Ops {
		purposes, kinds = append(purposes, op.Purposes...), append(kinds, op.Fields...)
	}
	for _, n := range slices.Concat(c.Purposes, c.Kinds) {
		if !slices.Contains(purposes, n) && !slices.Contains(kinds, n) {
			return ErrBeyond.With("name", n)
		}
	}
	if !c.Begins.Before(c.Ends) {
		return ErrDays
	}
	return s.document(c.SHA256, c.Ends)
}

// document holds an entry to a digest and an end that has not passed.
func (s *Service) document(sha256 string, ends time.Time) error {
	if !digest.MatchString(sha256) {
		return ErrDigest
	}
	if !s.d.Clock.Now().Before(ends) {
		return ErrDays
	}
	return nil
}

func complete(fields map[string]string) error {
	var missing []string
	for name, value := range fields {
		if strings.TrimSpace(value) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return ErrIncomplete.With("field", strings.Join(missing, ", "))
}

// Agreement fills egress.Papers.
func (s *Service) Agreement(ctx context.Context, recipient, purpose string, kinds []string) error {
	shut := egress.ErrDPA.With("recipient", recipient)
	c, err := db.Get(ctx, s.d.DB, shut, scanContract,
		"SELECT "+contractColumns+" FROM agreement_contract WHERE recipient = $1 ORDER BY id DESC LIMIT 1", recipient)
	if err != nil {
		return err
	}
	beyond := func(k string) bool { return !slices.Contains(c.Kinds, k) }
	if !c.live(s.d.Clock.Now()) || !slices.Contains(c.Purposes, purpose) || slices.ContainsFunc(kinds, beyond) {
		return shut
	}
	return nil
}

const contractColumns = "id, recipient, sha256, purposes, kinds, method, safeguards, supervision, begins_at, ends_at, approver, at"

func scanContract(r db.Row) (c Contract, err error) {
	var purposes, kinds string
	var begins, ends, at int64
	err = r.Scan(&c.ID, &c.Recipient, &c.SHA256, &purposes, &kinds, &c.Method, &c.Safeguards, &c.Supervision, &begins, &ends, &c.Approver.Subject, &at)
	c.Purposes, c.Kinds = strings.Fields(purposes), strings.Fields(kinds)
	c.Begins, c.Ends, c.At = db.FromMicros(begins), db.FromMicros(ends), db.FromMicros(at)
	return c, err
}

// Contracts lists all processing agreements, the newest first.
func (s *Service) Contracts(ctx context.Context) ([]Contract, error) {
	return db.Select(ctx, s.d.DB, scanContract, "SELECT "+contractColumns+" FROM agreement_contract ORDER BY id DESC")
}

var _ egress.Papers = (*Service)(nil)
