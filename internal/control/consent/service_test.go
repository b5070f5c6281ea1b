package consent_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

var ctx = context.Background()

func each(t *testing.T, fn func(t *testing.T, r consenttest.Rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, consenttest.New(t, d, consent.Mainland)) }, consenttest.Migrations()...)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func code(t *testing.T, what string, err error, want string) {
	t.Helper()
	if got := errs.CodeOf(err); err == nil || got != want {
		t.Errorf("%s: got %v, want %s", what, err, want)
	}
}

func act(subject id.Handle, session, purpose, token string) consent.Act {
	return consent.Act{Subject: subject, Session: session, Purpose: purpose, Decision: consent.Grant, Token: token, Adult: true}
}

func TestTheGateOpensByAnActAndShutsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		s, who := r.Consent, id.NewHandle()
		code(t, "before any act", s.Gate(ctx, who, consent.RealName), "consent.gate_closed")
		rec := r.Grant(t, who, "ses_1", consent.RealName)
		if err := s.Gate(ctx, who, consent.RealName); err != nil {
			t.Errorf("after the act: %v", err)
		}
		code(t, "another purpose", s.Gate(ctx, who, consent.PaymentAlipay), "consent.gate_closed")
		code(t, "another person", s.Gate(ctx, id.NewHandle(), consent.RealName), "consent.gate_closed")
		code(t, "an unknown purpose", s.Gate(ctx, who, "marketing"), "consent.gate_closed")
		if rec.Kind != consent.SeparateSensitive || len(rec.Receipt) != 64 || rec.Version != "1.0.0" {
			t.Errorf("got receipt %+v", rec)
		}
		back := consent.Act{Subject: who, Purpose: consent.RealName, Channel: "console"}
		_, err := s.Withdraw(ctx, back)
		must(t, err)
		code(t, "after withdrawal", s.Gate(ctx, who, consent.RealName), "consent.gate_closed")
		_, err = s.Withdraw(ctx, back)
		code(t, "withdrawing twice", err, "consent.nothing_to_withdraw")
		r.Grant(t, who, "ses_1", consent.RealName)
		if err := s.Gate(ctx, who, consent.RealName); err != nil {
			t.Errorf("after a new act: %v", err)
		}
		all, err := s.Records(ctx, who)
		must(t, err)
		if len(all) != 3 || all[1].Decision != consent.Withdrew {
			t.Errorf("got %d records, want grant, withdraw, grant", len(all))
		}
		leaves, err := r.Audit.Leaves(ctx, audit.Filter{Handle: string(who)})
		must(t, err)
		if len(leaves) != 3 {
			t.Errorf("got %d leaves, want one per act", len(leaves))
		}
	})
}

func TestContractAndDutyNeedNoAct(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		for _, purpose := range []string{"account", "order", "security_audit"} {
			if err := r.Consent.Gate(ctx, id.NewHandle(), purpose); err != nil {
				t.Errorf("%s: %v", purpose, err)
			}
		}
		code(t, "nobody", r.Consent.Gate(ctx, "", "account"), "consent.gate_closed")
		_, err := r.Consent.Prompt(ctx, "ses_1", "account", "en")
		code(t, "a prompt for a contract purpose", err, "consent.not_found")
		_, err = r.Consent.Prompt(ctx, "", consent.RealName, "en")
		code(t, "an anonymous prompt beyond registration", err, "consent.not_found")
	})
}

func TestATokenIsForOneActOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		s, who := r.Consent, id.NewHandle()
		p, err := s.Prompt(ctx, "ses_1", consent.RealName, "en")
		must(t, err)
		broken := p.Token[:len(p.Token)-2] + "AA"
		for name, a := range map[string]consent.Act{
			"of another session":   act(who, "ses_2", consent.RealName, p.Token),
			"without session":      act(who, "", consent.RealName, p.Token),
			"for another purpose":  act(who, "ses_1", consent.PaymentAlipay, p.Token),
			"altered":              act(who, "ses_1", consent.RealName, broken),
			"absent":               act(who, "ses_1", consent.RealName, ""),
			"for another text":     {Subject: who, Session: "ses_1", Purpose: consent.RealName, Decision: consent.Grant, Token: p.Token, TextSHA256: "00"},
			"for another version":  {Subject: who, Session: "ses_1", Purpose: consent.RealName, Decision: consent.Grant, Token: p.Token, Version: "9.0.0"},
			"for another document": {Subject: who, Session: "ses_1", Purpose: consent.RealName, Decision: consent.Grant, Token: p.Token, Document: "sla"},
		} {
			_, err := s.Decide(ctx, a)
			code(t, name, err, "consent.token_invalid")
		}
		good := act(who, "ses_1", consent.RealName, p.Token)
		good.Document, good.Version, good.TextSHA256, good.Kind = p.Document, p.Version, p.TextSHA256, p.Kind
		var ok atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := s.Decide(ctx, good); err == nil {
					ok.Add(1)
				} else if !errors.Is(err, consent.ErrToken) {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if ok.Load() != 1 {
			t.Errorf("a token was used %d times", ok.Load())
		}
		late, err := s.Prompt(ctx, "ses_1", consent.RealName, "en")
		must(t, err)
		r.Clock.Advance(consent.TokenLife)
		_, err = s.Decide(ctx, act(who, "ses_1", consent.RealName, late.Token))
		code(t, "expired", err, "consent.token_invalid")
	})
}

func TestARefusalIsRememberedAndOpensNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		s, who := r.Consent, id.NewHandle()
		p, err := s.Prompt(ctx, "ses_1", consent.PaymentAlipay, "zh-CN")
		must(t, err)
		no := act(who, "ses_1", consent.PaymentAlipay, p.Token)
		no.Decision = consent.Refused
		_, err = s.Decide(ctx, no)
		must(t, err)
		code(t, "after a refusal", s.Gate(ctx, who, consent.PaymentAlipay), "consent.gate_closed")
		states, err := s.States(ctx, who)
		must(t, err)
		for _, st := range states {
			if wantAsked := st.Purpose.ID != consent.PaymentAlipay; st.Asked != wantAsked || st.Open {
				t.Errorf("%s: asked %v, open %v", st.Purpose.ID, st.Asked, st.Open)
			}
		}
		due, err := s.Pending(ctx, who)
		must(t, err)
		if len(due) != 0 {
			t.Errorf("a refused purpose is asked again: %v", due)
		}
	})
}

func TestAdulthoodIsStatedInTheAct(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		p, err := r.Consent.Prompt(ctx, "", consent.PlatformPolicy, "zh-CN")
		must(t, err)
		a := act(id.NewHandle(), "", consent.PlatformPolicy, p.Token)
		a.Adult = false
		_, err = r.Consent.Decide(ctx, a)
		code(t, "without the statement", err, "consent.adult_statement_required")
		a.Adult = true
		rec, err := r.Consent.Decide(ctx, a) // the refused act did not use the token up
		if err != nil || !rec.Adult {
			t.Errorf("got %+v, %v", rec, err)
		}
	})
}

func TestANewMajorVersionShutsTheGateUntilANewAct(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		s, who := r.Consent, id.NewHandle()
		r.Grant(t, who, "ses_1", consent.PlatformPolicy)
		effective := r.Clock.Now().Add(consent.NoticePeriod)
		_, err := s.Publish(ctx, consent.Draft{Document: consent.DocPlatform, Major: true, EffectiveAt: effective.Add(-time.Second), By: id.NewHandle()})
		code(t, "a notice of less than seven days", err, "consent.notice_too_short")
		_, err = s.Publish(ctx, consent.Draft{Document: consent.DocPlatform, EffectiveAt: effective, By: id.NewHandle()})
		code(t, "the same text", err, "consent.nothing_changed")
		v, err := s.Publish(ctx, consent.Draft{Document: consent.DocPlatform, Major: true, EffectiveAt: effective, By: id.NewHandle()})
		must(t, err)
		if v.Number != "2.0.0" {
			t.Errorf("got %s, want 2.0.0", v.Number)
		}
		if err := s.Gate(ctx, who, consent.PlatformPolicy); err != nil {
			t.Errorf("during the notice: %v", err)
		}
		stale, err := s.Prompt(ctx, "ses_1", consent.PlatformPolicy, "zh-CN")
		must(t, err)
		r.Clock.Advance(consent.NoticePeriod)
		code(t, "in force", s.Gate(ctx, who, consent.PlatformPolicy), "consent.renewal_needed")
		due, err := s.Pending(ctx, who)
		must(t, err)
		if len(due) != 1 || due[0].Version != "2.0.0" || due[0].Accepted != "1.0.0" {
			t.Errorf("got %+v", due)
		}
		_, err = s.Decide(ctx, act(who, "ses_1", consent.PlatformPolicy, stale.Token))
		code(t, "an act on the old text", err, "consent.token_invalid")
		r.Grant(t, who, "ses_1", consent.PlatformPolicy)
		if err := s.Gate(ctx, who, consent.PlatformPolicy); err != nil {
			t.Errorf("after the new act: %v", err)
		}
		old, err := s.Text(ctx, consent.DocPlatform, "1.0.0", "en")
		must(t, err)
		now, err := s.Text(ctx, consent.DocPlatform, "", "en")
		must(t, err)
		if old.Version.Number != "1.0.0" || now.Version.Number != "2.0.0" || !strings.Contains(now.Plain, "Version 2.0.0") {
			t.Errorf("got %s and %s", old.Version.Number, now.Version.Number)
		}
	})
}

func TestAPromptOutlivesTheProcessThatShowedIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		p, err := r.Consent.Prompt(ctx, "ses_1", consent.PlatformPolicy, "en")
		must(t, err)
		next := r.With(t, consent.DemoFacts(consent.Mainland)) // as after a kill -9 and a start
		must(t, next.Consent.Seed(ctx))
		a := act(id.NewHandle(), "ses_1", consent.PlatformPolicy, p.Token)
		a.Adult = true
		_, err = next.Consent.Decide(ctx, a)
		must(t, err)
	})
}

func TestSeedingAgainPublishesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		must(t, r.Consent.Seed(ctx))
		all, err := r.Consent.Versions(ctx, consent.DocTerms)
		must(t, err)
		if len(all) != 1 || all[0].PublishedBy != "system" || !all[0].InForceAt(r.Clock.Now()) {
			t.Errorf("got %+v", all)
		}
		drift, err := r.Consent.Drift(ctx)
		must(t, err)
		if len(drift) != 0 {
			t.Errorf("published texts differ from their documents: %v", drift)
		}
		_, err = r.Consent.Versions(ctx, "no such")
		code(t, "an unknown document", err, "consent.not_found")
	})
}

func TestChangedFactsAreAMinorVersion(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		facts := consent.DemoFacts(consent.Mainland)
		facts.Operator.Phone = "000-1111-1111"
		other := r.With(t, facts)
		drift, err := other.Consent.Drift(ctx)
		must(t, err)
		if len(drift) == 0 {
			t.Fatal("a changed telephone number is not noticed")
		}
		v, err := other.Consent.Publish(ctx, consent.Draft{Document: consent.DocPlatform, EffectiveAt: r.Clock.Now().Add(consent.NoticePeriod), By: id.NewHandle()})
		must(t, err)
		who := id.NewHandle()
		r.Grant(t, who, "s", consent.PlatformPolicy)
		r.Clock.Advance(consent.NoticePeriod)
		if err := r.Consent.Gate(ctx, who, consent.PlatformPolicy); err != nil || v.Number != "1.0.1" {
			t.Errorf("after a minor version %s: %v", v.Number, err)
		}
	})
}

func TestAVersionIsNeverInForceBeforeItsPredecessor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		month := r.Clock.Now().AddDate(0, 1, 0)
		_, err := r.Consent.Publish(ctx, consent.Draft{Document: consent.DocPlatform, Major: true, EffectiveAt: month, By: id.NewHandle()})
		must(t, err)
		facts := consent.DemoFacts(consent.Mainland)
		facts.Operator.Phone = "000-1111-1111"
		other := r.With(t, facts)
		early := consent.Draft{Document: consent.DocPlatform, EffectiveAt: r.Clock.Now().Add(consent.NoticePeriod), By: id.NewHandle()}
		if _, err := other.Consent.Publish(ctx, early); errs.CodeOf(err) != "consent.before_newest" {
			t.Errorf("a lesser version before the major one: got %v", err)
		}
		early.EffectiveAt = month
		if _, err := other.Consent.Publish(ctx, early); err != nil {
			t.Errorf("at the same time: got %v", err)
		}
	})
}

func TestADocumentThatNobodyAcceptsHasNoMajorVersion(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		draft := consent.Draft{Document: consent.DocTerms, Major: true, EffectiveAt: r.Clock.Now().Add(consent.NoticePeriod), By: id.NewHandle()}
		if _, err := r.Consent.Publish(ctx, draft); errs.CodeOf(err) != "consent.nobody_asked" {
			t.Errorf("got %v, want that nobody would be asked", err)
		}
	})
}

func TestEveryColumnIsDescribed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		live, err := r.DB.Schema(ctx)
		must(t, err)
		for name := range live {
			if !strings.HasPrefix(name, "consent_") || strings.HasSuffix(name, "_schema") {
				delete(live, name)
			}
		}
		if err := holding.Verify(consent.Holdings(), live); err != nil {
			t.Error(err)
		}
	})
}

// silent are channels that do not answer, or the failure to know.
type silent struct {
	all []string
	err error
}

func (s *silent) Silent(context.Context) ([]string, error) { return s.all, s.err }

// Mutant TY-0c publishes what it likes.
func TestAChannelThatNobodyAnswersIsNotPublished(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r consenttest.Rig) {
		facts, asked := consent.DemoFacts(consent.Mainland), &silent{}
		facts.Operator.Phone = "000-1111-1111"
		r.Channels = asked
		other := r.With(t, facts)
		draft := consent.Draft{Document: consent.DocPlatform, EffectiveAt: r.Clock.Now().Add(consent.NoticePeriod), By: id.NewHandle()}
		for _, name := range []string{"service_mail", "privacy_mail", "phone", "dpo", "assistant", "console", "qq"} {
			asked.all = []string{"ticket", name}
			_, err := other.Consent.Publish(ctx, draft)
			var coded *errs.Error
			if !errors.As(err, &coded) || coded.Code != "consent.text_refused" {
				t.Fatalf("%s is silent: got %v", name, err)
			}
			if said := fmt.Sprint(coded.Params["problems"]); !strings.Contains(said, "TY-0c prints the channel "+name) || strings.Contains(said, "ticket") {
				t.Errorf("%s is silent: got %s", name, said)
			}
		}
		asked.all, asked.err = nil, errors.New("no database")
		if _, err := other.Consent.Publish(ctx, draft); errs.CodeOf(err) != "consent.text_refused" {
			t.Errorf("nobody knows who answers: got %v", err)
		}
		asked.all, asked.err = []string{"ticket"}, nil // which no text prints
		_, err := other.Consent.Publish(ctx, draft)
		must(t, err)
	})
}

func TestPrintedChannelsAreThoseOfTheTexts(t *testing.T) {
	t.Parallel()
	o := consent.DemoFacts(consent.Mainland).Operator
	all, err := consent.Printed(consent.Mainland, o)
	want := "assistant client console dpo phone privacy_mail qq service_mail"
	if got := strings.Join(all, " "); got != want || err != nil {
		t.Errorf("got %s, want %s: %v", got, want, err)
	}
	o.QQGroup = ""
	if all, err := consent.Printed(consent.Mainland, o); slices.Contains(all, "qq") || err != nil {
		t.Errorf("without a group: %v, %v", all, err)
	}
}
