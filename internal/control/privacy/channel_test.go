package privacy

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

func (r *rig) beatAll(t *testing.T) {
	t.Helper()
	for channel := range r.s.adapters() {
		must(t, r.s.Try(ctx, channel))
	}
}

func TestAChannelThatIsSilentIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		box, _ := r.intake()
		if all, err := r.s.Silent(ctx); err != nil || len(all) != len(printable) {
			t.Errorf("before the first beat: %v, %v", all, err)
		}
		if examined, found, err := r.s.SilentPrinted(ctx); err != nil || examined != 5 || found != 0 {
			t.Errorf("a start: %d of %d, %v", found, examined, err)
		}
		r.beatAll(t)
		if all, err := r.s.Silent(ctx); err != nil || len(all) != 0 {
			t.Errorf("all beat: silent are %v, %v", all, err)
		}
		box.away = errs.New(errs.Unavailable, "egress.ledger")
		if err := r.s.Try(ctx, ChannelPrivacyMail); err == nil {
			t.Error("a mailbox that is away is fine")
		}
		r.clock.Advance(silentAfter + time.Second)
		for channel := range r.s.adapters() {
			_ = r.s.Try(ctx, channel)
		}
		_, found, err := r.s.SilentPrinted(ctx)
		all, err2 := r.s.Channels(ctx)
		i := slices.IndexFunc(all, func(c Channel) bool { return c.ID == ChannelPrivacyMail })
		if found != 1 || !all[i].Silent || all[i].Problem != "egress.ledger" || all[i].BeatAt.IsZero() || errors.Join(err, err2) != nil {
			t.Errorf("%d are silent; %+v, %v, %v", found, all[i], err, err2)
		}
		must(t, r.s.alarm(ctx))
		if !strings.Contains(r.log.String(), "channels that a policy prints do not answer") {
			t.Error("nobody is told")
		}
		box.away = nil
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		if _, found, err := r.s.SilentPrinted(ctx); err != nil || found != 0 {
			t.Errorf("it answers again: %d, %v", found, err)
		}
	})
}

// A channel that is printed and has no adapter is never live, nor is a telephone
// that nobody may answer.
func TestAChannelWithoutAnAdapterIsSilent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.intake()
		r.s.d.DPOByMail = true
		r.s.d.Staffing = staffed{}
		for channel := range r.s.adapters() {
			_ = r.s.Try(ctx, channel)
		}
		silent, err := r.s.Silent(ctx)
		must(t, err)
		for _, want := range []string{ChannelDPO, ChannelPhone} {
			if !slices.Contains(silent, want) {
				t.Errorf("%s counts as live: %v", want, silent)
			}
		}
		if err := r.s.Try(ctx, ChannelDPO); !errors.Is(err, ErrChannel) {
			t.Errorf("got %v", err)
		}
	})
}

// A probe goes the way of a form and leaves nothing.
func TestAProbeLeavesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.intake()
		must(t, r.s.Try(ctx, ChannelConsole))
		for _, table := range []string{"privacy_request", "privacy_clock"} {
			if n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM "+table); err != nil || n != 0 {
				t.Errorf("%s: %d rows, %v", table, n, err)
			}
		}
	})
}

func TestALinkIsUsedOnceAndSaysNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		_, out := r.intake()
		l, err := r.s.MakeLink(ctx, desk)
		must(t, err)
		base, token, _ := strings.Cut(l.URL, "#token=")
		if base != "https://console.example.org/ask" || len(token) < 26 || strings.Contains(l.URL, "sub_") {
			t.Errorf("got %s", l.URL)
		}
		if n := r.count(t, "privacy_link", token); n != 0 {
			t.Error("the token is kept")
		}
		for range 3 { // a chat looks at links
			if until, err := r.s.OpenLink(ctx, token); err != nil || !until.Equal(l.Until) {
				t.Errorf("got %v, %v", until, err)
			}
		}
		in := LinkRequest{NewRequest{Kind: Question, Words: "canary: what do you hold of me?"}, "p@example.org"}
		for want, bad := range map[error]LinkRequest{
			ErrAddress: {in.NewRequest, "nobody"}, ErrWords: {NewRequest{Kind: Access}, "p@example.org"}, ErrKind: {NewRequest{Kind: Misuse, Words: "x"}, "p@example.org"},
		} {
			if _, err := r.s.UseLink(ctx, token, bad); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
		q, err := r.s.UseLink(ctx, token, in)
		if err != nil || q.Channel != ChannelQQ || q.State != Asked || q.Account != "" || q.Due.IsZero() {
			t.Fatalf("got %+v, %v", q, err)
		}
		if _, err := r.s.UseLink(ctx, token, in); !errors.Is(err, ErrLink) {
			t.Errorf("a second time: got %v", err)
		}
		if _, err := r.s.OpenLink(ctx, token); !errors.Is(err, ErrLink) {
			t.Errorf("opened once used: got %v", err)
		}
		must(t, r.s.d.Queue.Drain(ctx))
		if len(out.sent) != 1 || out.sent[0].To != "p@example.org" || strings.Contains(out.sent[0].Text, "canary") {
			t.Errorf("wrote %+v", out.sent)
		}
		old, err := r.s.MakeLink(ctx, desk)
		must(t, err)
		r.clock.Advance(linkLife)
		if _, err := r.s.UseLink(ctx, strings.Split(old.URL, "#token=")[1], in); !errors.Is(err, ErrLink) {
			t.Errorf("over: got %v", err)
		}
	})
}

func TestLinksAreLimited(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.intake()
		for range linksOfStaff {
			_, err := r.s.MakeLink(ctx, desk)
			must(t, err)
		}
		if _, err := r.s.MakeLink(ctx, desk); !errors.Is(err, ErrLinks) {
			t.Errorf("got %v", err)
		}
		if _, err := r.s.MakeLink(ctx, alice); err != nil {
			t.Errorf("others are kept from it: %v", err)
		}
		r.clock.Advance(time.Hour)
		_, err := r.s.MakeLink(ctx, desk)
		must(t, err)
	})
}
