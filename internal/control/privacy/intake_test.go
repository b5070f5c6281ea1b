package privacy

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// named are people by user name.
type named map[string]account.Principal

func (n named) OwnerBy(_ context.Context, name string) (account.ID, id.Handle, error) {
	p, ok := n[name]
	if !ok {
		return "", "", errs.New(errs.NotFound, "account.not_found")
	}
	return p.Account, p.Subject, nil
}

var people = named{"alice": alice, "mallory": mallo, "desk": desk}

// What is told by phone opens a case with its clocks at once, and nothing is
// done for whoever called before it is known who that is.
func TestACallOpensACaseThatAsksWhoItIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.s.d.People = people
		q, err := r.s.OpenFor(ctx, desk, "alice", NewRequest{Kind: Copy, Words: "she said", Channel: ChannelPhone})
		if err != nil || q.State != Asked || q.Identity != IdentityAsked || q.Subject != alice.Subject || lastDay(q.Due) != "2026-05-07" {
			t.Fatalf("got %+v, %v", q, err)
		}
		if err := r.s.Answer(ctx, desk, q.ID, Answer{Decision: Granted}); !errors.Is(err, ErrState) {
			t.Errorf("granted to a voice: got %v", err)
		}
		if all, err := r.s.Mine(ctx, alice); err != nil || len(all) != 1 {
			t.Errorf("the person does not see it: %v, %v", all, err)
		}
		for name, want := range map[string]error{"nobody": ErrNobody, "desk": ErrOwn} {
			if _, err := r.s.OpenFor(ctx, desk, name, NewRequest{Kind: Copy, Channel: ChannelPhone}); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", name, err, want)
			}
		}
		for _, in := range []NewRequest{{Kind: Misuse, Channel: ChannelPhone}, {Kind: Copy, Channel: ChannelConsole}} {
			if _, err := r.s.OpenFor(ctx, desk, "alice", in); !errors.Is(err, ErrKind) {
				t.Errorf("%+v: got %v", in, err)
			}
		}
		if len(r.ends.did) > 0 {
			t.Errorf("a call ended %v", r.ends.did)
		}
		must(t, r.s.Identified(ctx, desk, q.ID))
		must(t, r.s.Answer(ctx, desk, q.ID, Answer{Decision: Granted}))
	})
}

func TestAnArrangementForDeathIsSealedAndOpenedForRelativesOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.s.d.People = people
		if a, err := r.s.Arrangement(ctx, alice); err != nil || a.Words != "" {
			t.Errorf("got %+v, %v", a, err)
		}
		must(t, r.s.Arrange(ctx, alice, "canary: give all to my sister"))
		must(t, r.s.Arrange(ctx, alice, "canary: erase all"))
		if a, err := r.s.Arrangement(ctx, alice); err != nil || a.Words != "canary: erase all" || a.At.IsZero() {
			t.Errorf("got %+v, %v", a, err)
		}
		kept, err := db.Select(ctx, r.db, db.One[string], "SELECT words FROM privacy_arrangement")
		if err != nil || len(kept) != 1 || strings.Contains(kept[0], "canary") {
			t.Errorf("kept: %q, %v", kept, err)
		}
		relative, err := r.s.Open(ctx, mallo, NewRequest{Kind: Deceased, Words: "my sister died", Channel: ChannelConsole})
		must(t, err)
		other, err := r.s.Open(ctx, mallo, NewRequest{Kind: Question, Words: "what of her?", Channel: ChannelConsole})
		must(t, err)
		if a, err := r.s.ArrangementOf(ctx, desk, relative.ID, "alice"); err != nil || a.Words != "canary: erase all" {
			t.Errorf("got %+v, %v", a, err)
		}
		if _, err := r.s.ArrangementOf(ctx, desk, other.ID, "alice"); !errors.Is(err, ErrNotDeceased) {
			t.Errorf("for a question: got %v", err)
		}
		must(t, r.s.Arrange(ctx, alice, ""))
		if _, err := r.s.ArrangementOf(ctx, desk, relative.ID, "alice"); !errors.Is(err, ErrNoArrangement) {
			t.Errorf("taken back: got %v", err)
		}
		must(t, r.s.Answer(ctx, desk, relative.ID, refusal()))
		if _, err := r.s.ArrangementOf(ctx, desk, relative.ID, "alice"); !errors.Is(err, ErrNotDeceased) {
			t.Errorf("for a closed request: got %v", err)
		}
	})
}

func TestAPreviewIsTheLetterAndKeepsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		q := r.open(t, Delete)
		l, err := r.s.Preview(ctx, desk, q.ID, refusal())
		if err != nil || !strings.Contains(l["en"], "complain@b.example") {
			t.Errorf("got %v, %v", l, err)
		}
		if _, err := r.s.Preview(ctx, desk, q.ID, Answer{Decision: Denied}); !errors.Is(err, ErrReason) {
			t.Errorf("without a reason: got %v", err)
		}
		if _, err := r.s.Preview(ctx, alice, q.ID, refusal()); !errors.Is(err, ErrOwn) {
			t.Errorf("an own request: got %v", err)
		}
		must(t, r.s.Answer(ctx, desk, q.ID, refusal()))
		if o, err := r.s.Show(ctx, alice, q.ID); err != nil || o.Letter["en"] != l["en"] {
			t.Errorf("sent %q, previewed %q", o.Letter["en"], l["en"])
		}
	})
}
