package succession_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/audit"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/consent/consenttest"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/control/succession"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

var (
	ctx     = context.Background()
	clerk   = account.Principal{Subject: "sub_clerk", Session: "ses_clerk", Staff: true}
	officer = account.Principal{Subject: "sub_officer", Session: "ses_officer", Staff: true}
)

// people have the account that is theirs.
type people struct{ a *account.Service }

func (p people) ByHandle(ctx context.Context, h id.Handle) (holding.Person, error) {
	a, err := p.a.AccountOf(ctx, h)
	return holding.Person{Handle: h, Account: string(a)}, err
}

type noMail struct{}

func (noMail) Send(context.Context, notify.Mail) error { return nil }

type rig struct {
	accounttest.Rig
	s          *succession.Service
	anna, bert account.Registered
	private    ed25519.PrivateKey
	public     string
}

func each(t *testing.T, fn func(*testing.T, rig)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newRig(t, d)) },
		append(accounttest.Migrations(), notify.Migrations(), succession.Migrations())...)
}

func newRig(t *testing.T, d *db.DB) rig {
	t.Helper()
	r := rig{Rig: accounttest.New(t, d, consent.Mainland, false)}
	r.anna, r.bert = r.Register(t, "anna"), r.Register(t, "bert")
	n, err := notify.New(notify.Deps{
		DB: d, Clock: r.Clock, Queue: r.Queue, Log: slog.New(slog.DiscardHandler), Account: r.Account,
		Sender: noMail{}, URL: "https://console.example.org", Brand: "Skybridge",
	})
	must(t, err)
	r.s = succession.New(succession.Deps{
		DB: d, Clock: r.Clock, Queue: r.Queue, Log: slog.New(slog.DiscardHandler), Audit: r.Audit, Consent: r.Consent,
		Account: r.Account, Notify: n, People: people{r.Account},
		Copier: privacy.Copier{
			DB: d, Vault: r.Vault, Clock: r.Clock, Held: append(account.Held(), consent.Held()...), Tables: append(account.Holdings(), consent.Holdings()...),
		},
	})
	var public ed25519.PublicKey
	public, r.private, err = ed25519.GenerateKey(nil)
	must(t, err)
	r.public = base64.StdEncoding.EncodeToString(public)
	return r
}

func (r rig) transfer(change ...func(*succession.Transfer)) succession.Transfer {
	t := succession.Transfer{
		Successor: "Example Networks Ltd", Contact: "privacy@successor.example", Region: "CN-mainland", Key: r.public,
		Documents: []string{consent.DocPlatform}, EffectiveAt: consenttest.Start.AddDate(0, 0, 14),
	}
	for _, c := range change {
		c(&t)
	}
	return t
}

func (r rig) announced(t *testing.T, change ...func(*succession.Transfer)) succession.Transfer {
	t.Helper()
	s, err := r.s.Announce(ctx, clerk, r.transfer(change...))
	must(t, err)
	must(t, r.Queue.Drain(ctx))
	return s
}

func (r rig) sign(t *testing.T, s succession.Transfer) string {
	t.Helper()
	text, err := r.s.Statement(ctx, s.ID)
	must(t, err)
	return base64.StdEncoding.EncodeToString(ed25519.Sign(r.private, []byte(text)))
}

func (r rig) state(t *testing.T, s succession.Transfer) string {
	t.Helper()
	all, err := r.s.Transfers(ctx)
	must(t, err)
	for _, x := range all {
		if x.ID == s.ID {
			return x.State
		}
	}
	return ""
}

// itsDay lets the day come, and the jobs of it run.
func (r rig) itsDay(t *testing.T, s succession.Transfer) {
	t.Helper()
	r.Clock.Advance(s.EffectiveAt.Sub(r.Clock.Now()))
	must(t, r.s.Day(ctx))
	must(t, r.s.Day(ctx))
}

func (r rig) gate(subject id.Handle) error {
	return r.Consent.Gate(ctx, subject, consent.PlatformPolicy)
}

func (r rig) sent(t *testing.T, subject id.Handle) []audit.Disclosure {
	t.Helper()
	all, err := r.Audit.Disclosures(ctx, subject, "", 100)
	must(t, err)
	return all
}

// Mutants TY-4.2 and LT-3e let a successor have everything without a signature,
// and leave the consents open.
func TestNothingIsTransferredUnsigned(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		s := r.announced(t)
		refused := func(when string) {
			t.Helper()
			if _, err := r.s.HandOver(ctx, officer, s.ID); !errors.Is(err, succession.ErrUnsigned) || errs.KindOf(err) != errs.LegalBlock {
				t.Errorf("%s: got %v, want ErrUnsigned", when, err)
			}
		}
		refused("before its day")
		other := bytes.Clone(r.private)
		_, otherKey, err := ed25519.GenerateKey(nil)
		must(t, err)
		text, err := r.s.Statement(ctx, s.ID)
		must(t, err)
		for name, signature := range map[string]string{
			"none": "", "not base64": "%", "another text": base64.StdEncoding.EncodeToString(ed25519.Sign(other, []byte(text+"x"))),
			"another key": base64.StdEncoding.EncodeToString(ed25519.Sign(otherKey, []byte(text))),
		} {
			if _, err := r.s.Sign(ctx, clerk, s.ID, signature); !errors.Is(err, succession.ErrSignature) {
				t.Errorf("%s: got %v, want ErrSignature", name, err)
			}
		}
		must(t, r.gate(r.anna.Subject))
		r.itsDay(t, s)
		if got := r.state(t, s); got != succession.Lapsed {
			t.Errorf("unsigned on its day: %s", got)
		}
		refused("after its day")
		if _, err := r.s.Sign(ctx, clerk, s.ID, r.sign(t, s)); !errors.Is(err, succession.ErrState) {
			t.Errorf("signing too late: got %v", err)
		}
		// Every consent to the document waits for a new act, and a new act opens it.
		for _, who := range []id.Handle{r.anna.Subject, r.bert.Subject} {
			if err := r.gate(who); !errors.Is(err, consent.ErrRenewalNeeded) {
				t.Errorf("%s: got %v, want ErrRenewalNeeded", who, err)
			}
		}
		due, err := r.Consent.Pending(ctx, r.anna.Subject)
		if err != nil || len(due) != 1 || due[0].Purpose != consent.PlatformPolicy {
			t.Errorf("pending: %+v, %v", due, err)
		}
		r.Grant(t, r.anna.Subject, "ses_1", consent.PlatformPolicy)
		must(t, r.gate(r.anna.Subject))
		if err := r.gate(r.bert.Subject); !errors.Is(err, consent.ErrRenewalNeeded) {
			t.Errorf("another's act opened the gate: %v", err)
		}
		if n := len(r.sent(t, r.anna.Subject)); n != 0 {
			t.Errorf("%d disclosures", n)
		}
	})
}

func TestASignedTransferIsRecordedForEverybody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		s := r.announced(t)
		_, err := r.s.Sign(ctx, clerk, s.ID, r.sign(t, s))
		must(t, err)
		if _, err := r.s.HandOver(ctx, officer, s.ID); !errors.Is(err, succession.ErrUnsigned) {
			t.Errorf("before its day: got %v", err)
		}
		r.itsDay(t, s)
		if got := r.state(t, s); got != succession.Effective {
			t.Fatalf("signed on its day: %s", got)
		}
		must(t, r.gate(r.anna.Subject)) // the successor keeps the policy: nobody is asked again
		if _, err := r.s.HandOver(ctx, clerk, s.ID); !errors.Is(err, succession.ErrSamePerson) {
			t.Errorf("who announced it: got %v", err)
		}
		_, err = r.s.HandOver(ctx, officer, s.ID)
		must(t, err)
		must(t, r.Queue.Drain(ctx))
		if got := r.state(t, s); got != succession.HandedOver {
			t.Fatalf("handed over: %s", got)
		}
		for _, who := range []id.Handle{r.anna.Subject, r.bert.Subject} {
			sent := r.sent(t, who)
			if len(sent) != 1 || sent[0].LegalName != s.Successor || sent[0].Phase != "done" || !strings.Contains(strings.Join(sent[0].Fields, " "), "contact.email") {
				t.Errorf("%s: the ledger has %+v", who, sent)
			}
		}
		leaves, err := r.Audit.Leaves(ctx, audit.Filter{Type: "succession.signed", Limit: 10})
		if err != nil || len(leaves) != 1 {
			t.Errorf("the signature is not in the log: %d, %v", len(leaves), err)
		}
		if report, err := r.Audit.Verify(ctx); err != nil || len(report.Problems) != 0 {
			t.Errorf("the log: %+v, %v", report.Problems, err)
		}
	})
}

// A signature that stood in the row alone, and one of before a new policy, are
// none.
func TestTheSignatureIsVerifiedOnTheDay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		s := r.announced(t)
		_, err := r.s.Sign(ctx, clerk, s.ID, r.sign(t, s))
		must(t, err)
		must(t, r.DB.InTx(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE succession_transfer SET change = 'advertising' WHERE id = $1", s.ID)
			return err
		}))
		r.itsDay(t, s)
		if got := r.state(t, s); got != succession.Lapsed {
			t.Errorf("got %s, want lapsed", got)
		}
	})
}

func TestChangedPurposesNeedANewAct(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		s := r.announced(t, func(s *succession.Transfer) { s.Change = "logs are kept for a year" })
		_, err := r.s.Sign(ctx, clerk, s.ID, r.sign(t, s))
		must(t, err)
		must(t, r.gate(r.anna.Subject))
		r.itsDay(t, s)
		for _, who := range []id.Handle{r.anna.Subject, r.bert.Subject} {
			if err := r.gate(who); !errors.Is(err, consent.ErrRenewalNeeded) {
				t.Errorf("%s: got %v, want ErrRenewalNeeded", who, err)
			}
		}
		r.Grant(t, r.anna.Subject, "ses_1", consent.PlatformPolicy)
		_, err = r.s.HandOver(ctx, officer, s.ID)
		must(t, err)
		must(t, r.Queue.Drain(ctx))
		if a, b := len(r.sent(t, r.anna.Subject)), len(r.sent(t, r.bert.Subject)); a != 1 || b != 0 {
			t.Errorf("who acted anew has %d disclosures, who did not %d; want 1 and 0", a, b)
		}
	})
}

func TestPeopleAreToldOnceWithNameAndContact(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		s := r.announced(t)
		all, err := r.s.Transfers(ctx)
		must(t, err)
		if all[0].ToldAt.IsZero() {
			t.Fatal("people were not told")
		}
		texts, err := db.Select(ctx, r.DB, db.One[string], "SELECT params FROM notify_message WHERE event = 'succession.announced' ORDER BY subject")
		must(t, err)
		if len(texts) != 2 || !strings.Contains(texts[0], s.Successor) || !strings.Contains(texts[1], s.Contact) {
			t.Errorf("told: %v", texts)
		}
		if _, err := r.s.Announce(ctx, clerk, r.transfer()); !errors.Is(err, succession.ErrOther) {
			t.Errorf("two at once: got %v", err)
		}
		_, err = r.s.Withdraw(ctx, clerk, s.ID)
		must(t, err)
		r.itsDay(t, s)
		must(t, r.gate(r.anna.Subject))
		if _, err := r.s.HandOver(ctx, officer, s.ID); !errors.Is(err, succession.ErrUnsigned) {
			t.Errorf("called off: got %v", err)
		}
	})
}

func TestAnAnnouncementIsWhole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		for _, c := range []struct {
			name   string
			change func(*succession.Transfer)
			want   error
		}{
			{"no successor", func(s *succession.Transfer) { s.Successor = " " }, succession.ErrIncomplete},
			{"no contact", func(s *succession.Transfer) { s.Contact = "" }, succession.ErrIncomplete},
			{"a line of its own", func(s *succession.Transfer) { s.Successor = "A\ndocument platform" }, succession.ErrIncomplete},
			{"no key", func(s *succession.Transfer) { s.Key = "" }, succession.ErrKey},
			{"too soon", func(s *succession.Transfer) { s.EffectiveAt = consenttest.Start.Add(consent.NoticePeriod - 1) }, succession.ErrDay},
			{"no document", func(s *succession.Transfer) { s.Documents = nil }, succession.ErrDocuments},
			{"unknown document", func(s *succession.Transfer) { s.Documents = []string{"x"} }, succession.ErrDocuments},
		} {
			if _, err := r.s.Announce(ctx, clerk, r.transfer(c.change)); !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", c.name, err, c.want)
			}
		}
		der, err := x509.MarshalPKIXPublicKey(r.private.Public())
		must(t, err)
		s, err := r.s.Announce(ctx, clerk, r.transfer(func(s *succession.Transfer) {
			s.Key = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		}))
		if err != nil || s.Key != r.public {
			t.Errorf("a key in PEM: %q, %v", s.Key, err)
		}
	})
}

func TestEveryColumnIsClassified(t *testing.T) {
	t.Parallel()
	live, err := dbtest.SQLite(t, succession.Migrations()).Schema(ctx)
	must(t, err)
	if err := holding.Verify(succession.Holdings(), live); err != nil {
		t.Error(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
