package agreement_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/agreement"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
)

var ctx = context.Background()

type rig struct {
	consenttest.Rig
	s   *agreement.Service
	log *bytes.Buffer
}

// each runs a test on both engines, with an identity check and a payment
// gateway configured.
func each(t *testing.T, fn func(*testing.T, rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) }, append(consenttest.Migrations(), agreement.Migrations())...)
}

func newRig(t testing.TB, d *db.DB) rig {
	t.Helper()
	r := rig{Rig: consenttest.New(t, d, "mainland"), log: &bytes.Buffer{}}
	registry, err := egress.Load("mainland", false, map[string]egress.Override{"pay.epay": {Endpoint: "https://pay.example.org"}})
	must(t, err)
	r.s = agreement.New(agreement.Deps{
		DB: d, Clock: r.Clock, Queue: r.Queue, Log: slog.New(slog.NewTextHandler(r.log, nil)), Audit: r.Audit, Consent: r.Consent, Registry: registry,
	})
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var staff = agreement.Approver{Subject: "sub_staff", Session: "ses_1"}

func contract() agreement.Contract {
	return agreement.Contract{
		Recipient: "idv.aliyun", SHA256: strings.Repeat("ab", 32), Purposes: []string{"realname"},
		Kinds: []string{"UserName", "IdentifyNum", "ParamType"}, Method: "API over TLS", Safeguards: "SM2 to the processor's key",
		Supervision: "yearly report", Begins: consenttest.Start, Ends: consenttest.Start.AddDate(1, 0, 0), Approver: staff,
	}
}

func assessment() agreement.Assessment {
	return agreement.Assessment{
		PIA: "PIA-007", SHA256: strings.Repeat("cd", 32), Necessity: "the law asks for it", Impact: "a leaked number could be misused",
		Measures: "sealed, read log", Ends: consenttest.Start.AddDate(1, 0, 0), Approver: staff,
	}
}

func TestAnEntrySaysWhatTheLawWants(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t, append(consenttest.Migrations(), agreement.Migrations())...))
	for name, c := range map[string]struct {
		change func(*agreement.Contract)
		want   error
	}{
		"nobody":                {func(c *agreement.Contract) { c.Recipient = "tracker" }, agreement.ErrRecipient},
		"a handler":             {func(c *agreement.Contract) { c.Recipient = "pay.epay" }, agreement.ErrRecipient},
		"no purpose":            {func(c *agreement.Contract) { c.Purposes = nil }, agreement.ErrIncomplete},
		"no kinds":              {func(c *agreement.Contract) { c.Kinds = nil }, agreement.ErrIncomplete},
		"no method":             {func(c *agreement.Contract) { c.Method = " " }, agreement.ErrIncomplete},
		"no safeguards":         {func(c *agreement.Contract) { c.Safeguards = "" }, agreement.ErrIncomplete},
		"no supervision":        {func(c *agreement.Contract) { c.Supervision = "" }, agreement.ErrIncomplete},
		"more than registered":  {func(c *agreement.Contract) { c.Kinds = append(c.Kinds, "Mobile") }, agreement.ErrBeyond},
		"another purpose":       {func(c *agreement.Contract) { c.Purposes = []string{"marketing"} }, agreement.ErrBeyond},
		"no digest":             {func(c *agreement.Contract) { c.SHA256 = "ab" }, agreement.ErrDigest},
		"ends before it begins": {func(c *agreement.Contract) { c.Ends = c.Begins }, agreement.ErrDays},
		"has ended": {func(c *agreement.Contract) {
			c.Begins, c.Ends = c.Begins.AddDate(-1, 0, 0), consenttest.Start
		}, agreement.ErrDays},
	} {
		in := contract()
		c.change(&in)
		if _, err := r.s.RecordContract(ctx, in); !errors.Is(err, c.want) {
			t.Errorf("agreement, %s: got %v, want %v", name, err, c.want)
		}
	}
	for name, c := range map[string]struct {
		change func(*agreement.Assessment)
		want   error
	}{
		"of nobody":    {func(a *agreement.Assessment) { a.PIA = "PIA-999" }, agreement.ErrAssessment},
		"no necessity": {func(a *agreement.Assessment) { a.Necessity = "" }, agreement.ErrIncomplete},
		"no impact":    {func(a *agreement.Assessment) { a.Impact = "\n" }, agreement.ErrIncomplete},
		"no measures":  {func(a *agreement.Assessment) { a.Measures = "" }, agreement.ErrIncomplete},
		"no digest":    {func(a *agreement.Assessment) { a.SHA256 = strings.Repeat("AB", 32) }, agreement.ErrDigest},
		"has ended":    {func(a *agreement.Assessment) { a.Ends = consenttest.Start }, agreement.ErrDays},
	} {
		in := assessment()
		c.change(&in)
		if _, err := r.s.RecordAssessment(ctx, in); !errors.Is(err, c.want) {
			t.Errorf("assessment, %s: got %v, want %v", name, err, c.want)
		}
	}
	contracts, err := r.s.Contracts(ctx)
	assessments, err2 := r.s.Assessments(ctx)
	if len(contracts)+len(assessments) != 0 || err != nil || err2 != nil {
		t.Errorf("got %d agreements and %d assessments, %v, %v", len(contracts), len(assessments), err, err2)
	}
}

func TestADoorIsOpenWhileItsPapersAreInForce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		ask := func(kinds ...string) error { return r.s.Agreement(ctx, "idv.aliyun", "realname", kinds) }
		if err := ask("UserName"); !errors.Is(err, egress.ErrDPA) {
			t.Errorf("nothing recorded: got %v", err)
		}
		if err := r.s.Assessment(ctx, "PIA-007"); !errors.Is(err, egress.ErrPIA) {
			t.Errorf("nothing assessed: got %v", err)
		}
		c := contract()
		c.Kinds, c.Begins = []string{"UserName"}, c.Begins.Add(time.Hour)
		_, err := r.s.RecordContract(ctx, c)
		must(t, err)
		_, err = r.s.RecordAssessment(ctx, assessment())
		must(t, err)
		if err := ask("UserName"); !errors.Is(err, egress.ErrDPA) {
			t.Errorf("before it begins: got %v", err)
		}
		r.Clock.Advance(time.Hour)
		must(t, ask("UserName"))
		must(t, r.s.Assessment(ctx, "PIA-007"))
		if err := ask("UserName", "IdentifyNum"); !errors.Is(err, egress.ErrDPA) {
			t.Errorf("a kind that it does not name: got %v", err)
		}
		if err := r.s.Agreement(ctx, "idv.aliyun", "marketing", nil); !errors.Is(err, egress.ErrDPA) {
			t.Errorf("a purpose that it does not name: got %v", err)
		}
		_, err = r.s.RecordContract(ctx, contract())
		must(t, err)
		must(t, ask("UserName", "IdentifyNum")) // the newest counts
		r.Clock.Advance(contract().Ends.Sub(r.Clock.Now()))
		if err := ask("UserName"); !errors.Is(err, egress.ErrDPA) {
			t.Errorf("at its end: got %v", err)
		}
		if err := r.s.Assessment(ctx, "PIA-007"); !errors.Is(err, egress.ErrPIA) {
			t.Errorf("at its end: got %v", err)
		}
		report, err := r.Audit.Verify(ctx)
		if err != nil || len(report.Problems) != 0 {
			t.Errorf("the log: %v, %v", report.Problems, err)
		}
	})
}

func TestWhatEndsIsWarnedOf(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		states := func() (got []string) {
			all, err := r.s.Needs(ctx)
			must(t, err)
			for _, n := range all {
				got = append(got, n.Recipient+" "+n.Kind+" "+n.State)
			}
			return got
		}
		hold := func(when string, contract, assessment, pay string) {
			t.Helper()
			want := strings.Join([]string{"idv.aliyun contract " + contract, "idv.aliyun assessment " + assessment, "pay.epay assessment " + pay}, "; ")
			if got := strings.Join(states(), "; "); got != want {
				t.Errorf("%s: got %s, want %s", when, got, want)
			}
		}
		hold("at first", "missing", "missing", "missing")
		_, err := r.s.RecordContract(ctx, contract())
		must(t, err)
		a := assessment()
		a.Ends = a.Ends.AddDate(1, 0, 0)
		_, err = r.s.RecordAssessment(ctx, a)
		must(t, err)
		hold("recorded", "live", "live", "missing")
		r.Clock.Advance(contract().Ends.Sub(r.Clock.Now()) - agreement.Warning)
		hold("30 days before", "ending", "live", "missing")
		must(t, r.s.Warn(ctx))
		if said := r.log.String(); !strings.Contains(said, "document=idv.aliyun state=ending") || !strings.Contains(said, "document=PIA-004 state=missing") || strings.Contains(said, "PIA-007") {
			t.Errorf("the log says %s", said)
		}
		r.Clock.Advance(agreement.Warning)
		hold("at the end", "ended", "live", "missing")
		must(t, r.s.SeedDemo(ctx))
		hold("seeded", "live", "live", "live")
	})
}

func TestHoldingsDescribeTheSchema(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t, agreement.Migrations())
	live, err := d.Schema(ctx)
	must(t, err)
	if err := holding.Verify(agreement.Holdings(), live); err != nil {
		t.Error(err)
	}
}
