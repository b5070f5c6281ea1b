package residency

import (
	"context"
	"slices"
	"strconv"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// Steps are the numbers of people at which the law asks for more.
var Steps = []int64{10_000, 100_000, 1_000_000}

// Transfer refuses what would leave the region without a mechanism in force
// that covers it (ErrMechanism, ErrVolume) or without the person's separate
// consent of the purpose crossborder.RECIPIENT, and else counts the person. It
// fills egress.Transfers.
func (s *Service) Transfer(ctx context.Context, t egress.Transfer) error {
	m, err := s.mechanism(t)
	if err != nil {
		return err
	}
	if !mutant.Off("TY-3.1b") {
		if err := s.d.Consent.Gate(ctx, t.Subject, purpose(t)); err != nil {
			return err
		}
	}
	return s.count(ctx, t, m)
}

// purpose is the separate consent that a transfer rests on.
func purpose(t egress.Transfer) string { return purposeOf(t.Role, t.Recipient) }

// purposeOf names the purpose of a recipient abroad: the operator's own servers
// are told of at registration, others by name.
func purposeOf(role, recipient string) string {
	if role == "infra" {
		return consent.CrossborderHome
	}
	return "crossborder." + recipient
}

// Unnamed lists the recipients abroad whose transfer no purpose of the profile
// names: nobody could consent to it (PIPL 39). The start refuses them.
func Unnamed(profile string, abroad []egress.Recipient) (ids []string) {
	for _, r := range abroad {
		if !slices.ContainsFunc(consent.Purposes(profile), func(p consent.Purpose) bool {
			return p.ID == purposeOf(r.Role, r.ID) && p.Kind == consent.SeparateCrossborder && p.Act
		}) {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func (s *Service) mechanism(t egress.Transfer) (Mechanism, error) {
	now := s.d.Clock.Now()
	for _, m := range s.d.Mechanisms {
		if m.ID == t.Mechanism && slices.Contains(m.Scope, t.Recipient) && !now.Before(m.From) && now.Before(m.To) {
			return m, nil
		}
	}
	if mutant.Off("LT-5.1b") {
		return Mechanism{Type: "assessment"}, nil
	}
	return Mechanism{}, ErrMechanism.With("recipient", t.Recipient)
}

// count adds a person to the year's, once among all and once among those with
// sensitive data.
func (s *Service) count(ctx context.Context, t egress.Transfer, m Mechanism) error {
	year := int64(s.d.Clock.Now().In(civil.Zone).Year())
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for i, applies := range []bool{true, t.Sensitive} {
			if !applies {
				continue
			}
			fresh, err := tx.Exec(ctx, "INSERT INTO residency_export (year, handle, sensitive) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", year, string(t.Subject), i)
			if err != nil {
				return err
			}
			if fresh == 0 {
				continue
			}
			if err := s.add(ctx, tx, year, i, m); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) add(ctx context.Context, tx *db.Tx, year int64, sensitive int, m Mechanism) error {
	_, err := tx.Exec(ctx, `INSERT INTO residency_count (year, sensitive, people) VALUES ($1, $2, 1)
		ON CONFLICT (year, sensitive) DO UPDATE SET people = residency_count.people + 1`, year, sensitive)
	if err != nil {
		return err
	}
	people, err := db.Get(ctx, tx, nil, db.One[int64], "SELECT people FROM residency_count WHERE year = $1 AND sensitive = $2", year, sensitive)
	if err != nil {
		return err
	}
	if most := limits[m.Type][sensitive]; most >= 0 && people > most {
		return ErrVolume.With("mechanism", m.ID)
	}
	for _, step := range Steps {
		if people == step*8/10 || people == step {
			tx.AfterCommit(func() {
				s.d.Log.Warn("people whose data left the region this year", "people", people, "step", step, "sensitive", sensitive == 1)
			})
			detail := map[string]string{"people": strconv.FormatInt(people, 10), "step": strconv.FormatInt(step, 10), "sensitive": strconv.Itoa(sensitive)}
			return s.d.Audit.AppendTx(ctx, tx, audit.Event{Type: "residency.step", Actor: audit.Actor{Class: "system"}, Detail: detail})
		}
	}
	return nil
}

// Counter is one year's number of people.
type Counter struct {
	Year      int64
	Sensitive bool
	People    int64
	Next      int64 // step that comes next; 0 beyond the last
	Alarm     bool  // at 80 % of it
}

// Counters are those of all years, the newest first.
func (s *Service) Counters(ctx context.Context) ([]Counter, error) {
	return db.Select(ctx, s.d.DB, func(r db.Row) (c Counter, err error) {
		var sensitive int64
		if err := r.Scan(&c.Year, &sensitive, &c.People); err != nil {
			return c, err
		}
		c.Sensitive = sensitive == 1
		if i := slices.IndexFunc(Steps, func(step int64) bool { return c.People < step }); i >= 0 {
			c.Next = Steps[i]
			c.Alarm = c.People >= c.Next*8/10
		}
		return c, nil
	}, "SELECT year, sensitive, people FROM residency_count ORDER BY year DESC, sensitive")
}

// purge forgets who was counted in years that are over; the numbers stay.
func (s *Service) purge(ctx context.Context) error {
	year := int64(s.d.Clock.Now().In(civil.Zone).Year())
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM residency_export WHERE year < $1", year)
		return err
	})
}
