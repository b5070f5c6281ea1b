package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/fault"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// ErrNoUpgrade says that the provider cannot change what it made.
var ErrNoUpgrade = errs.New(errs.Unprocessable, "service.no_upgrade")

// change is one paid upgrade of a service.
//
//	paid ─▶ pending ─▶ sent ─▶ done
//	           └──────────────▶ failed
type change struct {
	line, order, service string
	options              map[string]string // what is bought from now on, whole
	state                changeState
	problem              string
	createdAt            time.Time
}

type changeState string

const (
	changePending changeState = "pending" // the provider may not know of it
	changeSent    changeState = "sent"    // the provider has it, and has not said that it is in force
	changeDone    changeState = "done"
	changeFailed  changeState = "failed"
)

// key is the idempotency key of a change at the provider.
func (c change) key() string { return fmt.Sprintf("svc:%s:resize:%s", c.service, c.line) }

// Owned returns the service that an account's resource belongs to, read by q:
// a transaction that prices an upgrade reads in itself.
func (s *Service) Owned(ctx context.Context, q db.Q, owner account.ID, resource string) (Item, error) {
	return db.Get(ctx, q, ErrNotFound, scan, columns+" WHERE resource = $1 AND account = $2", resource, string(owner))
}

// beginChange keeps a paid upgrade and enqueues its work. The line of the order
// is its key, so that a repeated event is harmless.
func (s *Service) beginChange(ctx context.Context, l Line) error {
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		v, err := forOwner(ctx, tx, l.Account, l.Service)
		if errs.IsNotFound(err) {
			return job.Final(err)
		}
		if err != nil {
			return err
		}
		options := maps.Clone(v.Options)
		maps.Copy(options, l.Options)
		c := change{line: l.ID, order: l.Order, service: v.ID, options: options, state: changePending, createdAt: s.d.Clock.Now()}
		fresh, err := insertChange(ctx, tx, c)
		if err != nil || !fresh {
			return err
		}
		for _, part := range l.Shares {
			if err := insertEarning(ctx, tx, earning{
				service: v.ID, order: l.Order, line: l.ID, start: part.Start, end: part.End, value: money.New(part.Minor, l.Amount.Cur),
			}); err != nil {
				return err
			}
		}
		if err := s.d.Queue.EnqueueTx(ctx, tx, job.Job{Kind: "service.change", Payload: changeNamed{c.line}, Key: c.key()}); err != nil {
			return err
		}
		return s.recordChange(ctx, tx, v, c, "service.upgrading")
	})
}

type changeNamed struct{ Line string }

// onChange tells the provider what is bought now. It may run any number of
// times; the provider knows the key.
func (s *Service) onChange(ctx context.Context, n changeNamed) error {
	c, err := changeByLine(ctx, s.d.DB, n.Line)
	if err != nil || (c.state != changePending && c.state != changeSent) {
		return err
	}
	v, err := byID(ctx, s.d.DB, c.service)
	if err != nil {
		return err
	}
	if v.State != Active && v.State != Suspended {
		return s.changeFailed(ctx, c, ErrTransition.Code)
	}
	p, ok := s.d.Providers[v.Product].(Resizer)
	if !ok {
		return s.changeFailed(ctx, c, ErrNoUpgrade.Code)
	}
	err = p.Resize(ctx, c.key(), v.Resource, c.options)
	fault.Point("service-after-resize")
	if final(err) {
		s.d.Log.WarnContext(ctx, "upgrading failed finally", "service", v.ID, "error", err)
		return s.changeFailed(ctx, c, errs.CodeOf(err))
	}
	if err != nil {
		return err
	}
	err = s.d.DB.InTx(ctx, func(tx *db.Tx) error { return moveChange(ctx, tx, c, changeSent, "", time.Time{}) })
	if err != nil {
		return ended(err)
	}
	return s.Observe(ctx, v.Key())
}

// inForce ends the upgrades that the provider has and says are in force.
func (s *Service) inForce(ctx context.Context, service string) error {
	all, err := changesOf(ctx, s.d.DB, service, changeSent)
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := s.upgraded(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) upgraded(ctx context.Context, c change) error {
	return s.change(ctx, c.service, func(tx *db.Tx, v Item) (Item, error) {
		err := moveChange(ctx, tx, c, changeDone, "", s.d.Clock.Now())
		if errors.Is(err, errEnded) {
			return v, errNothing // another process was faster
		}
		if err != nil {
			return v, err
		}
		v.Options = c.options
		fault.Point("service-before-upgraded")
		return v, s.tellChange(ctx, tx, v, c, TopicUpgraded)
	})
}

// changeFailed notes that an upgrade cannot be made; the service stays as it was.
func (s *Service) changeFailed(ctx context.Context, c change, problem string) error {
	c.problem = problem
	return ended(s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		v, err := byID(ctx, tx, c.service)
		if err != nil {
			return err
		}
		if err := moveChange(ctx, tx, c, changeFailed, problem, s.d.Clock.Now()); err != nil {
			return err
		}
		if err := dropEarningsTx(ctx, tx, c.line); err != nil { // it is to be given back
			return err
		}
		return s.tellChange(ctx, tx, v, c, TopicUpgradeFailed)
	}))
}

func (s *Service) tellChange(ctx context.Context, tx *db.Tx, v Item, c change, topic string) error {
	e := Changed{Service: v.ID, Account: string(v.Account), Order: c.order, Line: c.line, Resource: v.Resource, Problem: c.problem}
	if err := s.d.Queue.PublishTx(ctx, tx, topic, e); err != nil {
		return err
	}
	return s.recordChange(ctx, tx, v, c, topic)
}

func (s *Service) recordChange(ctx context.Context, tx *db.Tx, v Item, c change, kind string) error {
	v.Order, v.Line, v.Problem = c.order, c.line, c.problem
	return s.record(ctx, tx, v, kind)
}

// changesStuck is after what time an upgrade under way is looked at again: its
// job gives up after some thirty errors, what was paid for must not.
const changesStuck = 2 * time.Minute

func (s *Service) reconcileChanges(ctx context.Context) error {
	all, err := changesBefore(ctx, s.d.DB, s.d.Clock.Now().Add(-changesStuck))
	for _, c := range all {
		if err := s.onChange(ctx, changeNamed{c.line}); err != nil {
			s.d.Log.WarnContext(ctx, "asking after an upgrade", "service", c.service, "error", err)
		}
	}
	return err
}

const changeColumns = "SELECT line, order_id, service, options, state, problem, created_at FROM service_change"

func scanChange(r db.Row) (c change, err error) {
	var options string
	var created int64
	if err = r.Scan(&c.line, &c.order, &c.service, &options, &c.state, &c.problem, &created); err != nil {
		return change{}, err
	}
	c.createdAt = db.FromMicros(created)
	return c, json.Unmarshal([]byte(options), &c.options)
}

func changeByLine(ctx context.Context, q db.Q, line string) (change, error) {
	return db.Get(ctx, q, ErrNotFound, scanChange, changeColumns+" WHERE line = $1", line)
}

func changesOf(ctx context.Context, q db.Q, service string, state changeState) ([]change, error) {
	return db.Select(ctx, q, scanChange, changeColumns+" WHERE service = $1 AND state = $2 ORDER BY created_at, line", service, string(state))
}

func changesBefore(ctx context.Context, q db.Q, before time.Time) ([]change, error) {
	return db.Select(ctx, q, scanChange, changeColumns+" WHERE state IN ('pending', 'sent') AND created_at < $1 ORDER BY created_at, line", db.Micros(before))
}

func insertChange(ctx context.Context, tx *db.Tx, c change) (bool, error) {
	options, err := json.Marshal(c.options)
	if err != nil {
		return false, fmt.Errorf("options of %s: %w", c.line, err)
	}
	n, err := tx.Exec(ctx, `INSERT INTO service_change (line, order_id, service, options, state, problem, created_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, '', $6, 0) ON CONFLICT (line) DO NOTHING`,
		c.line, c.order, c.service, string(options), string(c.state), db.Micros(c.createdAt))
	return n == 1, err
}

// errEnded says that a change has ended meanwhile.
var errEnded = errors.New("the change has ended")

func ended(err error) error {
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

// moveChange compares and sets; errEnded if the change is not under way.
func moveChange(ctx context.Context, tx *db.Tx, c change, to changeState, problem string, at time.Time) error {
	return tx.ExecOne(ctx, errEnded, `UPDATE service_change SET state = $1, problem = $2, ended_at = $3
		WHERE line = $4 AND state IN ('pending', 'sent')`, string(to), problem, db.Micros(at), c.line)
}
