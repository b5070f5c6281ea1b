package privacy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
)

// letters is a mailbox whose numbers and mails the test sets.
type letters struct {
	validity uint32
	all      []Mail
	away     error
	stop     int // after so many in a run the process is killed; 0: never
}

var errKilled = errors.New("killed")

func (l *letters) Fetch(ctx context.Context, at Position, take func(context.Context, Mail, Position) error) error {
	if l.away != nil {
		return l.away
	}
	if at.Validity != l.validity {
		at.UID = 0
	}
	for i := int(at.UID); i < len(l.all); i++ {
		if l.stop > 0 && i >= l.stop {
			return errKilled
		}
		if err := take(ctx, l.all[i], Position{l.validity, uint32(i + 1)}); err != nil {
			return err
		}
	}
	return nil
}

// post keeps the mails that were sent.
type post struct {
	sent []notify.Mail
	fail error
}

func (p *post) Send(_ context.Context, m notify.Mail) error {
	if p.fail == nil {
		p.sent = append(p.sent, m)
	}
	return p.fail
}

// addresses are people by the address that they verified.
type addresses map[string]account.Principal

func (v addresses) OwnerByAddress(_ context.Context, a string) (account.ID, id.Handle, error) {
	p, ok := v[a]
	if !ok {
		return "", "", account.ErrNotFound
	}
	return p.Account, p.Subject, nil
}

type staffed map[string]int64

func (s staffed) Holders(_ context.Context, permission string) (int64, error) {
	return s[permission], nil
}

var dpo = account.Principal{Account: "acc_8", Subject: "sub_8", Staff: true, Permissions: []string{account.PermPrivacyHandle, account.PermPrivacyDPO}}

func (r *rig) intake() (box *letters, out *post) {
	box, out = &letters{validity: 1}, &post{}
	r.s.d.Mailboxes = map[string]Mailbox{ChannelPrivacyMail: box, ChannelServiceMail: &letters{validity: 1}}
	r.s.d.Mailer, r.s.d.Addresses, r.s.d.URL = out, addresses{"alice@example.org": alice}, "https://console.example.org"
	r.s.d.OwnAddresses = []string{"B <no-reply@b.example>", "privacy@b.example"}
	r.s.d.Staffing = staffed{account.PermPrivacyHandle: 1, account.PermPrivacyDPO: 1}
	r.s.d.Printed = []string{ChannelPrivacyMail, ChannelServiceMail, ChannelPhone, ChannelConsole, ChannelDPO}
	return box, out
}

func (r *rig) cases(t *testing.T) []Request {
	t.Helper()
	all, err := r.s.Desk(ctx, dpo, false)
	must(t, err)
	return all
}

func mailed(n int, from, text string, refs ...string) Mail {
	return Mail{ID: fmt.Sprintf("%d@x.example", n), From: from, Subject: "subject canary", Text: text, References: refs}
}

// A mail opens a case whose clocks run, its content is sealed, nobody is assumed to
// be who the address says, and the sender is told.
func TestAMailOpensACaseThatAsksWhoItIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		box, out := r.intake()
		box.all = []Mail{mailed(1, "alice@example.org", "canary of alice"), mailed(2, "stranger@example.org", "canary of a stranger")}
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		all := r.cases(t)
		if len(all) != 2 {
			t.Fatalf("got %d cases, want 2", len(all))
		}
		for _, q := range all {
			known := q.Subject == alice.Subject
			if q.State != Asked || q.Identity != IdentityAsked || q.Kind != Question || lastDay(q.Due) != "2026-05-07" || known != (q.Account == alice.Account) {
				t.Errorf("got %+v", q)
			}
			if err := r.s.Answer(ctx, desk, q.ID, Answer{Decision: Granted, Words: "x"}); !errors.Is(err, ErrState) {
				t.Errorf("granted to an address: got %v", err)
			}
			o, err := r.s.Handle(ctx, desk, q.ID)
			if err != nil || len(o.Mails) != 1 || !strings.HasPrefix(o.Words, "subject canary\n\ncanary of") || o.Mails[0].From == "" {
				t.Errorf("opened: %+v, %v", o, err)
			}
		}
		if mine, err := r.s.Mine(ctx, alice); err != nil || len(mine) != 1 {
			t.Errorf("alice sees %d, %v", len(mine), err)
		}
		for _, table := range []string{"privacy_mail", "privacy_request", "job_job"} {
			if n := r.count(t, table, "canary"); n != 0 {
				t.Errorf("%s holds the words in %d rows", table, n)
			}
		}
		must(t, r.s.d.Queue.Drain(ctx))
		if len(out.sent) != 2 {
			t.Fatalf("%d acknowledgements, want 2", len(out.sent))
		}
		for _, m := range out.sent {
			if strings.Contains(m.Text+m.Title, "canary") || !strings.Contains(m.Text, "2026-05-07") || !strings.Contains(m.Title, "dsr_") {
				t.Errorf("wrote %+v", m)
			}
		}
		must(t, r.s.d.Queue.Drain(ctx))
	})
}

// count tells in how many rows of a table a word stands anywhere.
func (r *rig) count(t *testing.T, table, word string) (n int) {
	t.Helper()
	columns, err := r.db.Schema(ctx)
	must(t, err)
	for _, c := range columns[table] {
		found, err := db.Select(ctx, r.db, db.One[string], "SELECT COALESCE(CAST("+c+" AS TEXT), '') FROM "+table)
		must(t, err)
		for _, v := range found {
			if strings.Contains(v, word) {
				n++
			}
		}
	}
	return n
}

// However often a run is killed, and however often the same mail comes, each is
// one case.
func TestAMailIsNeitherLostNorDoubled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		box, _ := r.intake()
		for n := range 6 {
			box.all = append(box.all, mailed(n, fmt.Sprintf("p%d@example.org", n), "hello"))
		}
		for box.stop = 1; box.stop < 6; box.stop++ {
			if err := r.s.Try(ctx, ChannelPrivacyMail); !errors.Is(err, errKilled) {
				t.Fatalf("got %v", err)
			}
		}
		box.stop = 0
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		box.validity = 2 // numbers begin anew: all come again
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		r.s.d.Mailboxes[ChannelServiceMail] = &letters{validity: 9, all: box.all} // and by the other mailbox
		must(t, r.s.Try(ctx, ChannelServiceMail))
		if all := r.cases(t); len(all) != 6 {
			t.Errorf("got %d cases, want 6", len(all))
		}
		forged := box.all[0]
		forged.Text = "another text under a number that was used"
		box.all = append(box.all, forged)
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		if all := r.cases(t); len(all) != 7 {
			t.Errorf("a mail with another's Message-ID was lost: %d cases", len(all))
		}
	})
}

// Mails of one thread are one case, while it is open and if they are of its sender.
func TestAThreadIsOneCase(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		box, _ := r.intake()
		box.all = []Mail{mailed(1, "p@example.org", "first")}
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		first := r.cases(t)[0]
		box.all = append(box.all, mailed(2, "P@example.org", "second", "1@x.example"), mailed(3, "p@example.org", "third", first.ID+".ack@b.example"),
			mailed(4, "mallory@example.org", "of somebody else", "1@x.example", first.ID+".ack@b.example"))
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		o, err := r.s.Handle(ctx, desk, first.ID)
		if err != nil || len(o.Mails) != 3 || o.Mails[2].Text != "third" || len(r.cases(t)) != 2 {
			t.Errorf("got %d mails, %d cases, %v", len(o.Mails), len(r.cases(t)), err)
		}
		must(t, r.s.Answer(ctx, desk, first.ID, refusal()))
		box.all = append(box.all, mailed(5, "p@example.org", "after the answer", "1@x.example"))
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		if n := len(r.cases(t)); n != 2 {
			t.Errorf("%d open cases after one was closed and a mail came, want 2", n)
		}
	})
}

// Two programs must not go on answering each other.
func TestNothingAutomaticIsAnswered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		box, out := r.intake()
		auto := func(n int, from string, a Auto) Mail {
			m := mailed(n, from, "x")
			m.Auto = a
			return m
		}
		box.all = []Mail{
			auto(1, "p@example.org", Response), auto(2, "q@example.org", Machine), auto(3, "", ByHand),
			auto(4, "no-reply@b.example", ByHand), auto(5, "PRIVACY@b.example", ByHand),
		}
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		must(t, r.s.d.Queue.Drain(ctx))
		if len(out.sent) != 0 || len(r.cases(t)) != 4 {
			t.Errorf("%d answers, %d cases, want none and 4", len(out.sent), len(r.cases(t)))
		}
		for n := range 20 {
			box.all = append(box.all, mailed(100+n, "loop@example.org", fmt.Sprint("again ", n)))
		}
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		must(t, r.s.d.Queue.Drain(ctx))
		if len(out.sent) != maxReplies {
			t.Errorf("%d answers to one address, want %d", len(out.sent), maxReplies)
		}
		if n := len(r.cases(t)); n != 4+maxCases {
			t.Errorf("%d cases, want %d: what is more joins", n, 4+maxCases)
		}
		if n, err := db.Get(ctx, r.db, nil, db.One[int64], "SELECT count(*) FROM privacy_mail"); err != nil || n != 25 {
			t.Errorf("%d mails are kept, want all 25: %v", n, err)
		}
	})
}

// A relay that is away delays an acknowledgement and one that refuses ends it.
func TestAnAcknowledgementIsSentOnceOrRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		box, out := r.intake()
		box.all = []Mail{mailed(1, "p@example.org", "x")}
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		out.fail = notify.ErrLater
		_ = r.s.d.Queue.Drain(ctx)
		out.fail = nil
		r.clock.Advance(time.Hour)
		must(t, r.s.d.Queue.Drain(ctx))
		if len(out.sent) != 1 {
			t.Errorf("sent %d", len(out.sent))
		}
		out.fail = notify.ErrRefused
		box.all = append(box.all, mailed(2, "q@example.org", "x"))
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		must(t, r.s.d.Queue.Drain(ctx))
		how, err := db.Select(ctx, r.db, db.One[string], "SELECT reply FROM privacy_mail ORDER BY at, id")
		if err != nil || strings.Join(how, " ") != "sent failed" {
			t.Errorf("got %v, %v", how, err)
		}
	})
}

// Who has no account gets the letter where the mail came from; whoever has one
// reads it there.
func TestAStrangerGetsTheAnswerByMail(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		box, out := r.intake()
		box.all = []Mail{mailed(1, "p@example.org", "what do you do?")}
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		q := r.cases(t)[0]
		if err := r.s.Classify(ctx, desk, q.ID, Delete); !errors.Is(err, ErrKind) {
			t.Errorf("erasing nobody: got %v", err)
		}
		must(t, r.s.Classify(ctx, desk, q.ID, Explain))
		if err := r.s.Classify(ctx, desk, q.ID, Complaint); !errors.Is(err, ErrState) {
			t.Errorf("a second time: got %v", err)
		}
		must(t, r.s.Identified(ctx, desk, q.ID))
		must(t, r.s.Answer(ctx, desk, q.ID, Answer{Decision: Granted, Words: "we do this"}))
		must(t, r.s.d.Queue.Drain(ctx))
		last := out.sent[len(out.sent)-1]
		if last.To != "p@example.org" || !strings.Contains(last.Text, "we do this") || last.Reference != q.ID+".answer" {
			t.Errorf("wrote %+v", last)
		}
	})
}

// What is classified gets the clocks of its kind, from the receipt.
func TestAKindThatIsSaidLaterBringsItsClocks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		box, _ := r.intake()
		box.all = []Mail{mailed(1, "alice@example.org", "close my account")}
		must(t, r.s.Try(ctx, ChannelPrivacyMail))
		q := r.cases(t)[0]
		r.clock.Advance(24 * time.Hour)
		must(t, r.s.Classify(ctx, desk, q.ID, Cancel))
		o, err := r.s.Handle(ctx, desk, q.ID)
		if err != nil || len(o.Clocks) != 3 || lastDay(o.Due) != "2026-05-07" || o.Kind != Cancel {
			t.Errorf("got %+v, %v", o, err)
		}
	})
}

// What is addressed to the person in charge is for that person's eyes.
func TestWhatIsForThePersonInChargeIsTheirsAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r *rig) {
		r.intake()
		r.s.d.Mailboxes[ChannelDPO] = &letters{validity: 1, all: []Mail{mailed(1, "p@example.org", "about your desk")}}
		must(t, r.s.Try(ctx, ChannelDPO))
		_, err := r.s.Open(ctx, alice, NewRequest{Kind: Complaint, Words: "about your desk", Channel: ChannelConsole, To: ToDPO})
		must(t, err)
		if all, err := r.s.Desk(ctx, desk, false); err != nil || len(all) != 0 {
			t.Errorf("the desk sees %d, %v", len(all), err)
		}
		all := r.cases(t)
		if len(all) != 2 {
			t.Fatalf("the person in charge sees %d, want 2", len(all))
		}
		for _, q := range all {
			if q.Due.IsZero() {
				t.Error("no clock runs")
			}
			if _, err := r.s.Handle(ctx, desk, q.ID); !errs.IsNotFound(err) {
				t.Errorf("the desk opens it: %v", err)
			}
			for name, err := range map[string]error{
				"answer": r.s.Answer(ctx, desk, q.ID, refusal()), "special": r.s.Special(ctx, desk, q.ID, "complex"),
				"identified": r.s.Identified(ctx, desk, q.ID), "classify": r.s.Classify(ctx, desk, q.ID, Explain),
			} {
				if !errs.IsNotFound(err) {
					t.Errorf("the desk may %s: %v", name, err)
				}
			}
			must(t, r.s.Answer(ctx, dpo, q.ID, refusal()))
		}
	})
}
