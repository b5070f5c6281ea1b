package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// many are renewals that are due at one instant.
const many = 10_000

// crowd adds many services of others that are like v.
func (r rig) crowd(t *testing.T, v service.Item) {
	t.Helper()
	must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO service_item (id, account, subject, order_id, line, product, region, options, configuration, months, resource, state,
			attempt, provider_key, problem, reasons, paid_through, overdue_since, cancel_at_end, locked, version, created_at, delivered_at,
			currency, value_minor, anchor, anchor_months, looked_at, next_due)
			WITH RECURSIVE crowd(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM crowd WHERE i < $2)
			SELECT 'svc_c' || i, 'acc_c' || i, 'sub_c', 'ord_c' || i, 'orl_c' || i, product, region, options, configuration, months, 'res_c' || i, state,
			attempt, 'svc:c' || i, problem, reasons, paid_through, overdue_since, cancel_at_end, locked, 1, created_at, delivered_at,
			currency, value_minor, anchor, anchor_months, looked_at, next_due FROM service_item, crowd WHERE id = $1`, v.ID, int64(many))
		return err
	}))
}

// TestTenThousandRenewalsAtOnceStarveNobody: each is handled once, and a request
// of somebody else gets its turn all the while.
func TestTenThousandRenewalsAtOnceStarveNobody(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		r.crowd(t, v)
		r.clock.Advance(v.PaidThrough.AddDate(0, 0, -7).Sub(r.clock.Now()))
		done := make(chan error, 1)
		go func() {
			for left := int64(1); left > 0; {
				err := service.Day(ctx, r.s)
				if err == nil {
					left, err = db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM service_item WHERE next_due <= $1", db.Micros(r.clock.Now()))
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		between := 0
	requests:
		for {
			select {
			case err := <-done:
				must(t, err)
				break requests
			default:
			}
			soon, cancel := context.WithTimeout(ctx, 10*time.Second)
			turn := r.s.Suspend
			if between%2 == 1 {
				turn = r.s.Resume
			}
			err := turn(soon, v.ID, service.ByUser)
			cancel()
			if err != nil {
				t.Fatalf("request %d while the machine works: %v", between, err)
			}
			between++
			<-time.After(50 * time.Millisecond)
		}
		if between < 10 {
			t.Errorf("%d requests came through beside %d renewals", between, many)
		}
		for _, topic := range []string{service.TopicRenewalDue, service.TopicExpiring} {
			told, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM job_item WHERE kind = $1", topic+"/test")
			must(t, err)
			services, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(DISTINCT payload) FROM job_item WHERE kind = $1", topic+"/test")
			if must(t, err); told != many+1 || services != many+1 {
				t.Errorf("%s was told %d times of %d services, want once of each of %d", topic, told, services, many+1)
			}
		}
	})
}

// TestFortyDaysAreOneMessage: who was not reminded for forty days is told once,
// and nothing is terminated before its last notice.
func TestFortyDaysAreOneMessage(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		r.clock.Advance(v.PaidThrough.AddDate(0, 0, -8).Sub(r.clock.Now()))
		r.today(t)
		*r.told = nil
		r.clock.Advance(40 * aDay)
		for range 3 {
			r.today(t)
		}
		if got := r.heardOf(topics...); len(got) != 1 || got[0] != service.TopicSuspended {
			t.Fatalf("after forty days: told %v, want that it is suspended", got)
		}
		var final, ended time.Time
		for range 12 * 24 {
			r.clock.Advance(time.Hour)
			before := len(*r.notes)
			r.today(t)
			for _, n := range (*r.notes)[before:] {
				switch n.topic {
				case service.TopicFinalNotice:
					final = r.clock.Now()
				case service.TopicTerminating:
					ended = r.clock.Now()
				}
			}
		}
		if final.IsZero() || ended.Sub(final) < aDay {
			t.Errorf("the last notice was at %v, the end at %v", final, ended)
		}
		if got := r.heardOf(notices...); len(got) != 3 {
			t.Errorf("told %v, want one suspension, one last notice, one end", got)
		}
	})
}
