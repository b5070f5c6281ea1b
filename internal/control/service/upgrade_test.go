package service_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skybridge-cloud/skybridge/internal/control/service"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Resize keeps what the last call of a key said; it is in force at once unless
// the upstream is slow.
func (u *upstream) Resize(_ context.Context, key, _ string, options map[string]string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls["resize"]++
	if err := take(&u.before); err != nil {
		return err
	}
	if u.resized[key] == nil {
		u.resized[key] = options
	}
	return take(&u.after)
}

// upgradePaid publishes a paid upgrade of v.
func (r rig) upgradePaid(t rapid.TB, v service.Item) {
	t.Helper()
	*r.more = []service.Line{{
		ID: "orl_2", Order: "ord_2", Account: owner, Subject: "sub_alice", Kind: "upgrade", Product: v.Product, Region: v.Region,
		Options: map[string]string{"ssl_bandwidth": "200"}, Service: v.ID,
	}}
	must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
		return r.queue.PublishTx(ctx, tx, "order.paid", map[string]string{"Order": "ord_2"})
	}))
}

func TestAPaidUpgradeIsMadeOnceAndToldWhenItIsInForce(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		*r.told = nil
		r.up.after = []error{errors.New("timeout after it was made")}
		r.up.changing = true
		for range 3 { // the event may come again
			r.upgradePaid(t, v)
			r.run(t)
		}
		if got := r.item(t); got.Options["ssl_bandwidth"] != "100" || len(*r.told) != 0 || len(r.up.resized) != 1 {
			t.Fatalf("before it is in force: got %+v, told %v, made %v", got, *r.told, r.up.resized)
		}
		r.up.changing = false
		must(t, r.s.Observe(ctx, v.Key()))
		must(t, r.s.Observe(ctx, v.Key()))
		r.run(t)
		got := r.item(t)
		if got.Options["ssl_bandwidth"] != "200" || !got.PaidThrough.Equal(v.PaidThrough) || got.State != service.Active {
			t.Errorf("in force: got %+v", got)
		}
		if !slices.Equal(*r.told, []string{"service.upgraded orl_2 "}) {
			t.Errorf("told %v", *r.told)
		}
	})
}

func TestAnUpgradeThatCannotBeMadeFailsAndChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		*r.told = nil
		r.up.before = []error{errs.New(errs.Unprocessable, "vpn.limits_invalid")}
		r.upgradePaid(t, v)
		r.run(t)
		if got := r.item(t); got.State != service.Active || got.Options["ssl_bandwidth"] != "100" {
			t.Errorf("got %+v", got)
		}
		if !slices.Equal(*r.told, []string{"service.upgrade_failed orl_2 vpn.limits_invalid"}) {
			t.Errorf("told %v", *r.told)
		}
	})
}

func TestAnUpgradeWhoseJobGaveUpIsTriedAgain(t *testing.T) {
	t.Parallel()
	each(t, "hk", func(t *testing.T, r rig) {
		v := r.active(t)
		r.upgradePaid(t, v)
		must(t, r.queue.Drain(ctx))
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error { // as if nothing had come of it
			_, err := tx.Exec(ctx, "UPDATE service_change SET state = 'pending', ended_at = 0")
			return err
		}))
		r.up.resized = map[string]map[string]string{}
		r.clock.Advance(10 * time.Minute)
		must(t, service.Reconcile(ctx, r.s))
		r.run(t)
		if got := r.item(t); got.Options["ssl_bandwidth"] != "200" || len(r.up.resized) != 1 {
			t.Errorf("got %+v, made %v", got, r.up.resized)
		}
	})
}
