package privacy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/erasure"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

const rowsOfOne = 100_000

// BenchmarkErase is a person of 100,000 rows, from the case to its certificate,
// without the search of all stores. Half as many rows are of others.
func BenchmarkErase(b *testing.B) {
	r := assemble(b)
	ctx := context.Background()
	r.fill(b, "sub_other", "acc_other", rowsOfOne/2)
	for b.Loop() {
		b.StopTimer()
		who := r.people(b, 1)[0]
		r.fill(b, string(who.Subject), string(who.Account), rowsOfOne)
		var c erasure.Case
		must(b, r.DB.InTx(ctx, func(tx *db.Tx) (err error) {
			c, err = r.erasure.OpenTx(ctx, tx, erasure.Case{Subject: who.Subject, Account: who.Account, Trigger: erasure.Asked}, audit.Actor{Class: vault.Self, Handle: who.Subject})
			return err
		}))
		wait := r.others(b)
		b.StartTimer()
		began := time.Now()
		must(b, r.erasure.Run(ctx, c.ID))
		took := time.Since(began)
		b.StopTimer()
		record(figure{Row: "12", Name: "privacy-erase", Unit: "s", Goal: "10"}, took.Seconds())
		record(figure{Row: "12", Name: "privacy-erase-others-wait", Unit: "s", Goal: "-"}, wait().Seconds())
		r.gone(b, who)
		b.StartTimer()
	}
}

// fill gives a person rows as the product writes them: messages of the inbox, each
// with an attempt to mail it, and sessions of the console.
func (r rig) fill(b *testing.B, subject, account string, rows int) {
	b.Helper()
	ctx := context.Background()
	for from := 0; from < rows; from += 5000 {
		must(b, r.DB.InTx(ctx, func(tx *db.Tx) error {
			var failed []error
			for i := from; i < from+5000; i += 5 {
				for n := i; n < i+2; n++ {
					_, err := tx.Exec(ctx, `INSERT INTO notify_message (id, event, account, subject, params, dedupe, inbox, mail, at, read_at)
						VALUES ($1, 'security.login', $2, $3, '{"where":"192.0.2.10"}', $1, 1, 'sent', $4, 0)`, fmt.Sprintf("msg_%s_%d", subject, n), account, subject, int64(n))
					_, err2 := tx.Exec(ctx, "INSERT INTO notify_attempt (message, number, at, outcome, code) VALUES ($1, 1, $2, 'sent', '')", fmt.Sprintf("msg_%s_%d", subject, n), int64(n))
					failed = append(failed, err, err2)
				}
				_, err := tx.Exec(ctx, `INSERT INTO account_session (id, subject, token_hash, family, device, mfa, step_up_until, idle_micros, created_at, last_seen_at, expires_at, revoked_at, reason)
					VALUES ($1, $2, $1, $1, $3, 0, 0, 1, $4, $4, $4, $4, 'logout')`, fmt.Sprintf("ses_%s_%d", subject, i), subject, make([]byte, 160), int64(i))
				failed = append(failed, err)
			}
			return errors.Join(failed...)
		}))
	}
}

// others writes in the name of somebody else every few milliseconds until the
// answer is called, which tells the longest time that one of them had to wait.
func (r rig) others(b *testing.B) (stop func() time.Duration) {
	b.Helper()
	var longest atomic.Int64
	var wg sync.WaitGroup
	end := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-end:
				return
			case <-time.After(5 * time.Millisecond):
			}
			began := time.Now()
			err := r.DB.InTx(context.Background(), func(tx *db.Tx) error {
				_, err := tx.Exec(context.Background(), "UPDATE notify_message SET read_at = read_at + 1 WHERE id = 'msg_sub_other_0'")
				return err
			})
			if err != nil {
				b.Error(err)
			}
			longest.Store(max(longest.Load(), int64(time.Since(began))))
		}
	})
	return func() time.Duration {
		close(end)
		wg.Wait()
		return time.Duration(longest.Load())
	}
}

// gone tells that the rows went, and the others' did not.
func (r rig) gone(b *testing.B, who account.Principal) {
	b.Helper()
	for of, want := range map[string]int64{string(who.Subject): 0, "sub_other": rowsOfOne / 2} {
		n, err := db.Get(context.Background(), r.DB, nil, db.One[int64], `SELECT (SELECT count(*) FROM notify_message WHERE subject = $1) +
			(SELECT count(*) FROM notify_attempt WHERE message LIKE 'msg_' || $1 || '_%') + (SELECT count(*) FROM account_session WHERE subject = $1)`, of)
		if err != nil || n != want {
			b.Fatalf("%d rows of %s are left, want %d, %v", n, of, want, err)
		}
	}
}
