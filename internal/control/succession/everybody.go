package succession

import (
	"context"
	"fmt"
	"slices"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

// Jobs over everybody: a page, then the next, each with what it did in one
// transaction, so that a process that dies repeats nothing.
const (
	jobTell  = "succession.tell"
	jobHand  = "succession.hand"
	pageSize = 100
)

type page struct{ Transfer string }

// People tells whose rows are of a handle.
type People interface {
	ByHandle(ctx context.Context, handle id.Handle) (holding.Person, error)
}

// tell tells a page of people who takes over, with name and contact (PIPL 22).
func (s *Service) tell(ctx context.Context, p page) error {
	t, err := load(ctx, s.d.DB, p.Transfer)
	if err != nil || !t.ToldAt.IsZero() || t.State == Withdrawn {
		return err
	}
	next, err := s.d.Account.Customers(ctx, t.told, pageSize)
	if err != nil {
		return err
	}
	event := notify.SuccessionAnnounced
	if t.Change != "" {
		event = notify.SuccessionChanges
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, h := range next {
			params := map[string]string{"successor": t.Successor, "contact": t.Contact, "date": civil.DayOf(t.EffectiveAt).String()}
			if t.Change != "" {
				params["change"] = t.Change
			}
			err := s.d.Notify.SendTx(ctx, tx, notify.Message{Event: event, Subject: h, Params: params, Dedupe: fmt.Sprintf("%s:%s:%s", event, t.ID, h)})
			if err != nil {
				return err
			}
			t.told = h
		}
		if len(next) < pageSize {
			t.ToldAt = s.d.Clock.Now()
			return update(ctx, tx, t)
		}
		if err := update(ctx, tx, t); err != nil {
			return err
		}
		return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: jobTell, Payload: p, Key: t.ID + ":" + string(t.told)})
	})
}

// hand records a page of people's transfers. Where purposes change, only of those
// who accepted the policy anew.
func (s *Service) hand(ctx context.Context, p page) error {
	t, err := load(ctx, s.d.DB, p.Transfer)
	if err != nil || t.State != HandingOver {
		return err
	}
	if err := s.mayHand(ctx, t); err != nil {
		return job.Final(err)
	}
	text, err := s.statement(ctx, t)
	if err != nil {
		return err
	}
	next, err := s.d.Account.Customers(ctx, t.handed, pageSize)
	if err != nil {
		return err
	}
	kinds := map[id.Handle][]string{}
	for _, h := range next {
		if kinds[h], err = s.kinds(ctx, t, h); err != nil {
			return err
		}
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		for _, h := range next {
			if len(kinds[h]) > 0 {
				err := s.d.Audit.DiscloseTx(ctx, tx, egress.Intent{
					Subject: h, Recipient: "successor", LegalName: t.Successor, Role: "handler", Region: t.Region, Op: "transfer",
					Purpose: "account", Basis: string(holding.ByOtherLaw), Fields: kinds[h],
				})
				if err != nil {
					return err
				}
			}
			t.handed = h
		}
		if len(next) < pageSize {
			t.State, t.EndedAt = HandedOver, s.d.Clock.Now()
			if err := update(ctx, tx, t); err != nil {
				return err
			}
			return s.leaf(ctx, tx, "succession.handed_over", system, t, text)
		}
		if err := update(ctx, tx, t); err != nil {
			return err
		}
		return s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: jobHand, Payload: p, Key: "hand:" + t.ID + ":" + string(t.handed)})
	})
}

// kinds are the categories of what is held of a person that may be handed over:
// none where a new act is waited for.
func (s *Service) kinds(ctx context.Context, t Transfer, h id.Handle) ([]string, error) {
	if t.Change != "" {
		err := s.d.Consent.Gate(ctx, h, consent.PlatformPolicy)
		if errs.KindOf(err) == errs.Forbidden && err != nil {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
	}
	who, err := s.d.People.ByHandle(ctx, h)
	if err != nil {
		return nil, err
	}
	names, err := s.d.Copier.Names(ctx, who)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, table := range s.d.Copier.Tables {
		for _, c := range table.Columns {
			if c.Category != "" && slices.Contains(names, table.Name+"."+c.Name) {
				all = append(all, string(c.Category))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
