package erasure

import (
	"context"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

const (
	jobPlant  = "erasure.plant"
	jobCanary = "erasure.canary"

	// canaryLife is how long a canary lives, and how long its erasure may take
	// before that is a finding.
	canaryLife  = 24 * time.Hour
	canaryLimit = 48 * time.Hour
)

// Planter makes people who do not exist. The module account fills it.
type Planter interface {
	Plant(ctx context.Context, with func(tx *db.Tx, r account.Registered) error) error
}

// Planted is a person who does not exist.
type Planted struct {
	Subject id.Handle
	Account account.ID
}

// Plant plants a standing canary: somebody who does not exist, and is erased a day
// later as anybody is. So each day shows in the live installation that an erasure
// ends, that its search finds nothing in any store, and that the certificate
// holds.
func (s *Service) Plant(ctx context.Context) error {
	return s.d.Planter.Plant(ctx, func(tx *db.Tx, r account.Registered) error {
		return s.d.Queue.EnqueueTx(ctx, tx, job.Job{
			Kind: jobCanary, Payload: Planted{r.Subject, r.Account}, Key: jobCanary + ":" + string(r.Subject), RunAt: s.d.Clock.Now().Add(canaryLife),
		})
	})
}

// EraseCanary opens the case of a canary.
func (s *Service) EraseCanary(ctx context.Context, p Planted) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		_, err := s.OpenTx(ctx, tx, Case{Subject: p.Subject, Account: p.Account, Trigger: Canary}, audit.Actor{Class: vault.Job})
		return err
	})
}

// LivingCanaries counts the canaries of the last week, and of all those whose
// erasure did not end in time: something of them was found, or a store could not
// be searched.
func (s *Service) LivingCanaries(ctx context.Context) (examined, found int64, err error) {
	now := s.d.Clock.Now()
	examined, err = db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM erasure_case WHERE cause = $1 AND asked_at > $2",
		string(Canary), db.Micros(now.AddDate(0, 0, -7)))
	if err != nil {
		return 0, 0, err
	}
	found, err = db.Get(ctx, s.d.DB, nil, db.One[int64], "SELECT count(*) FROM erasure_case WHERE cause = $1 AND step <> $2 AND asked_at < $3",
		string(Canary), string(Done), db.Micros(now.Add(-canaryLimit)))
	return examined, found, err
}
