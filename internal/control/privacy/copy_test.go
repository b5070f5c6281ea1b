package privacy

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

// verified is who has a verified real name.
type verified map[account.ID]bool

func (v verified) Require(_ context.Context, owner account.ID) (realname.Verified, error) {
	if v[owner] {
		return realname.Verified{}, nil
	}
	return realname.Verified{}, realname.ErrRequired
}

// fresh is a person whose session proved itself a moment ago.
func (r *rig) fresh(p account.Principal) account.Principal {
	p.StepUpUntil = r.clock.Now().Add(time.Minute)
	return p
}

// asked opens a request for a copy of what this module holds and runs the jobs.
func (r *rig) asked(t *testing.T, k Kind) Request {
	t.Helper()
	got, err := r.s.Open(ctx, alice, NewRequest{Kind: k, Words: "canary-words", Channel: "console"})
	must(t, err)
	must(t, r.s.d.Queue.Drain(ctx))
	return got
}

func copies(t *testing.T, fn func(t *testing.T, r *rig)) {
	t.Helper()
	each(t, func(t *testing.T, r *rig) {
		r.s.d.Held, r.s.d.Tables, r.s.d.Identities = Held(), Holdings(), verified{"acc_1": true}
		fn(t, r)
	})
}

func TestACopyIsFetchedOnceByItsPersonAndItsBytesAreGone(t *testing.T) {
	t.Parallel()
	copies(t, func(t *testing.T, r *rig) {
		q := r.asked(t, Copy)
		o, err := r.s.Show(ctx, alice, q.ID)
		if err != nil || o.State != Done || !o.Due.IsZero() || o.Letter == nil {
			t.Fatalf("got %+v, %v", o.Request, err)
		}
		f, err := r.s.CopyOf(ctx, alice, q.ID)
		if err != nil || f.State != CopyReady || !f.Until.Equal(r.clock.Now().Add(72*time.Hour)) || bytes.Contains(f.content, []byte("canary")) {
			t.Fatalf("got %+v, %v", f, err)
		}
		for why, p := range map[error]account.Principal{ErrNotFound: r.fresh(mallo), account.ErrStepUp: alice} {
			if _, err := r.s.FetchCopy(ctx, p, q.ID); !errors.Is(err, why) {
				t.Errorf("%s: got %v, want %v", p.Subject, err, why)
			}
		}
		file, err := r.s.FetchCopy(ctx, r.fresh(alice), q.ID)
		if err != nil || !strings.Contains(unzip(t, file), "canary-words") {
			t.Errorf("got %d bytes, %v", len(file), err)
		}
		if _, err := r.s.FetchCopy(ctx, r.fresh(alice), q.ID); !errors.Is(err, ErrNotReady) {
			t.Errorf("a second time: got %v", err)
		}
		if n := r.bytes(t); n != 0 {
			t.Errorf("%d copies are kept after they were fetched", n)
		}
		report, err := r.audit.Verify(ctx)
		if err != nil || len(report.Problems) > 0 {
			t.Errorf("the log: %v, %v", report.Problems, err)
		}
	})
}

// bytes counts the copies of which bytes are kept.
func (r *rig) bytes(t *testing.T) int64 {
	t.Helper()
	n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM privacy_copy WHERE content IS NOT NULL")
	must(t, err)
	return n
}

func unzip(t *testing.T, file []byte) (all string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	must(t, err)
	for _, f := range z.File {
		in, err := f.Open()
		must(t, err)
		var out bytes.Buffer
		_, err = out.ReadFrom(in)
		must(t, err)
		all += f.Name + "\n" + out.String() + "\n"
	}
	return all
}

func TestACopyThatNobodyFetchesIsGoneAfter72Hours(t *testing.T) {
	t.Parallel()
	copies(t, func(t *testing.T, r *rig) {
		q := r.asked(t, Copy)
		r.clock.Advance(72 * time.Hour)
		if f, err := r.s.CopyOf(ctx, alice, q.ID); err != nil || f.State != CopyOver {
			t.Errorf("got %v, %v", f.State, err)
		}
		if _, err := r.s.FetchCopy(ctx, r.fresh(alice), q.ID); !errors.Is(err, ErrNotReady) {
			t.Errorf("got %v", err)
		}
		must(t, r.s.endCopies(ctx))
		if n := r.bytes(t); n != 0 {
			t.Errorf("%d copies are kept beyond their time", n)
		}
		r.asked(t, Copy)
		newer := r.asked(t, Copy)
		if f, err := r.s.CopyOf(ctx, alice, newer.ID); err != nil || f.State != CopyReady || r.bytes(t) != 1 {
			t.Errorf("a newer copy: got %v, %v, %d kept", f.State, err, r.bytes(t))
		}
	})
}

// A process that dies between the steps leaves a request that another takes up:
// the job may run twice, or be dead.
func TestACopyIsMadeByWhoeverTakesItUp(t *testing.T) {
	t.Parallel()
	copies(t, func(t *testing.T, r *rig) {
		q, err := r.s.Open(ctx, alice, NewRequest{Kind: Copy})
		must(t, err)
		if q.State != Carrying || q.Due.IsZero() {
			t.Errorf("promised: got %s, due %v; want a clock that runs", q.State, q.Due)
		}
		if _, err := r.s.Open(ctx, alice, NewRequest{Kind: Copy}); !errors.Is(err, ErrCopying) {
			t.Errorf("a second at once: got %v", err)
		}
		if err := r.s.Carried(ctx, desk, q.ID); !errors.Is(err, ErrState) {
			t.Errorf("staff said that it is done: got %v", err)
		}
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE job_item SET state = 'dead'")
			return err
		}))
		must(t, r.s.endCopies(ctx))
		must(t, r.s.d.Queue.Drain(ctx))
		must(t, r.s.makeCopy(ctx, copyPayload{q.ID}))
		if f, err := r.s.CopyOf(ctx, alice, q.ID); err != nil || f.State != CopyReady {
			t.Errorf("got %+v, %v", f, err)
		}
	})
}

func TestACopyOfAnErasedPersonIsNotMade(t *testing.T) {
	t.Parallel()
	copies(t, func(t *testing.T, r *rig) {
		q, err := r.s.Open(ctx, alice, NewRequest{Kind: Copy})
		must(t, err)
		must(t, r.db.InTx(ctx, func(tx *db.Tx) error {
			for _, h := range Held() {
				who := holding.Person{Handle: alice.Subject, Account: string(alice.Account)}
				at, err := h.Due(ctx, tx, who, 100)
				if err != nil {
					return err
				}
				if _, err := h.EraseTx(ctx, tx, who, at); err != nil {
					return err
				}
			}
			return nil
		}))
		must(t, r.s.d.Queue.Drain(ctx))
		if _, err := r.s.CopyOf(ctx, alice, q.ID); !errors.Is(err, ErrNoCopy) || r.bytes(t) != 0 {
			t.Errorf("got %v", err)
		}
	})
}

// Who is not verified is asked who they are, with no date moved; what the law
// had us add is not carried elsewhere (PIPL 45, NDR 25).
func TestAPortNeedsAVerifiedPersonAndHoldsWhatTheyGave(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, sets...), consent.Mainland, "2026-11-23")
	r.s.d.Held, r.s.d.Identities = Held(), verified{"acc_1": true}
	r.s.d.Tables = []holding.Table{holding.Of("privacy_request",
		[]holding.Column{
			{Name: "words", Category: holding.TicketText, Basis: holding.ByContract, Sealed: true},
			{Name: "kind", Category: holding.Case, Basis: holding.ByDuty},
		}, holding.None("how a request was dealt with", "id"))}
	stranger, err := r.s.Open(ctx, mallo, NewRequest{Kind: Port, Channel: "console"})
	if err != nil || stranger.State != Asked || lastDay(stranger.Due) != "2026-11-26" {
		t.Errorf("not verified: got %s due %s, %v", stranger.State, lastDay(stranger.Due), err)
	}
	if err := r.s.Answer(ctx, desk, stranger.ID, Answer{Decision: Granted}); !errors.Is(err, ErrState) {
		t.Errorf("granted before the proof: got %v", err)
	}
	must(t, r.s.Identified(ctx, desk, stranger.ID))
	must(t, r.s.Answer(ctx, desk, stranger.ID, Answer{Decision: Granted}))
	must(t, r.s.d.Queue.Drain(ctx))
	if f, err := r.s.CopyOf(ctx, mallo, stranger.ID); err != nil || f.State != CopyReady {
		t.Errorf("granted by the desk: got %+v, %v", f, err)
	}
	q := r.asked(t, Port)
	file, err := r.s.FetchCopy(ctx, r.fresh(alice), q.ID)
	must(t, err)
	text := unzip(t, file)
	if !strings.Contains(text, "canary-words") || strings.Contains(text, `"kind"`) || strings.Contains(text, "privacy_copy") {
		t.Errorf("got %s", text)
	}
}
