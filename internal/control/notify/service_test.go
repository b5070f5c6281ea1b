package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/holding"
	"github.com/skybridge-cloud/skybridge/internal/platform/job"
)

var ctx = context.Background()

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// postbox is a Sender that keeps what it is given, or answers as told.
type postbox struct {
	mu    sync.Mutex
	mails []notify.Mail
	fail  []error // taken one by one
}

func (p *postbox) Send(_ context.Context, m notify.Mail) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.fail) > 0 {
		err := p.fail[0]
		p.fail = p.fail[1:]
		return err
	}
	p.mails = append(p.mails, m)
	return nil
}

type rig struct {
	accounttest.Rig
	s   *notify.Service
	box *postbox
}

func each(t *testing.T, fn func(t *testing.T, r rig)) {
	t.Helper()
	accounttest.Each(t, func(t *testing.T, r accounttest.Rig) {
		box := &postbox{}
		s, err := notify.New(notify.Deps{
			DB: r.DB, Clock: r.Clock, Queue: r.Queue, Log: slog.New(slog.DiscardHandler), Account: r.Account,
			Sender: box, URL: "https://console.example.org/", Brand: "Example",
		})
		must(t, err)
		fn(t, rig{r, s, box})
	}, notify.Migrations())
}

// settle runs all jobs, also those that wait for their next try.
func (r rig) settle(t *testing.T) {
	t.Helper()
	for range 4 {
		for ran := true; ran; {
			var err error
			ran, err = r.Queue.RunOne(ctx)
			must(t, err)
		}
		r.Clock.Advance(10 * time.Second)
	}
}

var token = regexp.MustCompile(`https://console\.example\.org(/[a-z/-]+)#token=([a-z2-7]+)`)

func TestRegistrationMailsATokenThatVerifies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.Register(t, "alice")
		r.settle(t)
		if len(r.box.mails) != 1 {
			t.Fatalf("got %d mails", len(r.box.mails))
		}
		m := r.box.mails[0]
		found := token.FindStringSubmatch(m.Text)
		if m.To != "alice@example.org" || m.Purpose != "verify" || len(found) != 3 || found[1] != "/verify-email" {
			t.Fatalf("got %+v", m)
		}
		if !strings.Contains(m.HTML, found[0]) || !strings.Contains(m.Text, "Hello alice") {
			t.Errorf("got %s", m.HTML)
		}
		must(t, r.Account.VerifyEmail(ctx, found[2], accounttest.From))
		n, err := db.Get(ctx, r.DB, nil, db.One[int64], "SELECT COUNT(*) FROM job_item")
		must(t, err)
		if n != 0 {
			t.Errorf("%d jobs are left", n)
		}
	})
}

func (r rig) verified(t *testing.T, name string) account.Registered {
	t.Helper()
	got := r.Register(t, name)
	secret, err := r.Account.IssueVerification(ctx, got.Subject)
	must(t, err)
	must(t, r.Account.VerifyEmail(ctx, secret, accounttest.From))
	r.settle(t)
	r.box.mails = nil
	return got
}

func TestAResetIsMailed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		r.verified(t, "alice")
		must(t, r.Account.AskReset(ctx, "alice@example.org", accounttest.From))
		r.settle(t)
		if len(r.box.mails) != 1 {
			t.Fatalf("got %d mails", len(r.box.mails))
		}
		found := token.FindStringSubmatch(r.box.mails[0].Text)
		if len(found) != 3 || found[1] != "/password-reset/confirm" {
			t.Fatalf("got %s", r.box.mails[0].Text)
		}
		must(t, r.Account.ConfirmReset(ctx, found[2], "wide rivers run 9 miles", accounttest.From))
		r.settle(t)
		if len(r.box.mails) != 2 || r.box.mails[1].Purpose != "security" {
			t.Errorf("the change is not told by mail: %+v", r.box.mails)
		}
	})
}

func TestNothingIsMailedToAnAddressThatNobodyVerified(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		got := r.Register(t, "alice")
		r.settle(t)
		r.box.mails = nil
		must(t, r.s.Send(ctx, notify.Message{Event: notify.RealNamePassed, Account: got.Account, Subject: got.Subject, Dedupe: "x"}))
		r.settle(t)
		if len(r.box.mails) != 0 {
			t.Errorf("got %+v", r.box.mails)
		}
		list, _, err := r.s.Notices(ctx, got.Subject, "zh-CN", "", 10)
		must(t, err)
		if len(list) != 1 || list[0].Title != "实名认证已通过" {
			t.Errorf("got %+v", list)
		}
	})
}

func TestOneKeyIsOneMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		got := r.verified(t, "alice")
		for range 3 {
			must(t, r.DB.InTx(ctx, func(tx *db.Tx) error {
				return r.Queue.PublishTx(ctx, tx, "order.paid", map[string]string{"Order": "ord_1", "Account": string(got.Account)})
			}))
		}
		r.settle(t)
		if len(r.box.mails) != 1 || !strings.Contains(r.box.mails[0].Text, "https://console.example.org/orders/ord_1") {
			t.Errorf("got %+v", r.box.mails)
		}
		list, _, err := r.s.Notices(ctx, got.Subject, "en", "", 10)
		must(t, err)
		if len(list) != 1 || list[0].Link != "/orders/ord_1" || list[0].Body != "Order ord_1 is paid and is being set up." {
			t.Errorf("got %+v", list)
		}
	})
}

func TestAMessageOfARolledBackTransactionIsNone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		got, boom := r.verified(t, "alice"), errors.New("boom")
		err := r.DB.InTx(ctx, func(tx *db.Tx) error {
			return errors.Join(r.s.SendTx(ctx, tx, notify.Message{Event: notify.NewLogin, Account: got.Account, Subject: got.Subject, Dedupe: "x"}), boom)
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		r.settle(t)
		if len(r.box.mails) != 0 {
			t.Errorf("got %+v", r.box.mails)
		}
	})
}

func TestATemporaryFailureIsTriedAgainAndAFinalOneIsNot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		got := r.verified(t, "alice")
		r.box.fail = []error{fmt.Errorf("%w: 451", notify.ErrLater), fmt.Errorf("%w: 451", notify.ErrLater)}
		must(t, r.s.Send(ctx, notify.Message{Event: notify.NewLogin, Account: got.Account, Subject: got.Subject, Dedupe: "later"}))
		r.settle(t)
		if len(r.box.mails) != 1 {
			t.Errorf("after two temporary failures: got %d mails", len(r.box.mails))
		}
		r.box.fail = []error{fmt.Errorf("%w: 550", notify.ErrRefused)}
		must(t, r.s.Send(ctx, notify.Message{Event: notify.NewLogin, Account: got.Account, Subject: got.Subject, Dedupe: "never"}))
		r.settle(t)
		if len(r.box.mails) != 1 {
			t.Errorf("after a final failure: got %d mails", len(r.box.mails))
		}
		outcomes, err := db.Select(ctx, r.DB, db.One[string], `SELECT a.outcome FROM notify_attempt a JOIN notify_message m ON m.id = a.message
			WHERE m.dedupe IN ('later', 'never') ORDER BY m.id, a.number`)
		must(t, err)
		if got, want := strings.Join(outcomes, " "), "retry retry sent failed"; got != want {
			t.Errorf("attempts: got %s, want %s", got, want)
		}
	})
}

func TestAMailIsAReadEvent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		got := r.verified(t, "alice")
		must(t, r.s.Send(ctx, notify.Message{Event: notify.NewLogin, Account: got.Account, Subject: got.Subject, Dedupe: "x"}))
		reads := func() int64 {
			n, err := db.Get(ctx, r.DB, nil, db.One[int64], "SELECT COUNT(*) FROM audit_read WHERE handle = $1 AND class = 'job' AND purpose = 'security'", string(got.Subject))
			must(t, err)
			return n
		}
		before := reads()
		r.settle(t)
		if after := reads(); after != before+1 {
			t.Errorf("got %d read events, want one", after-before)
		}
	})
}

func TestMistakesOfTheProgramAreRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		got := r.verified(t, "alice")
		for name, m := range map[string]notify.Message{
			"an unknown event":    {Event: "no.such", Subject: got.Subject, Dedupe: "a"},
			"no key":              {Event: notify.NewLogin, Subject: got.Subject},
			"a missing parameter": {Event: notify.OrderPaid, Subject: got.Subject, Dedupe: "a"},
			"another parameter":   {Event: notify.NewLogin, Subject: got.Subject, Dedupe: "a", Params: map[string]string{"email": "x"}},
		} {
			if err := r.s.Send(ctx, m); err == nil {
				t.Errorf("%s is accepted", name)
			}
		}
	})
}

func TestOnlyItsPersonReadsANotice(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		alice, bob := r.verified(t, "alice"), r.verified(t, "bob")
		for i := range 3 {
			must(t, r.s.Send(ctx, notify.Message{Event: notify.NewLogin, Account: alice.Account, Subject: alice.Subject, Dedupe: fmt.Sprint(i)}))
		}
		none, _, err := r.s.Notices(ctx, bob.Subject, "en", "", 10)
		must(t, err)
		page, next, err := r.s.Notices(ctx, alice.Subject, "en", "", 2)
		must(t, err)
		rest, end, err := r.s.Notices(ctx, alice.Subject, "en", next, 2)
		must(t, err)
		if len(none) != 0 || len(page) != 2 || len(rest) != 1 || next == "" || end != "" {
			t.Errorf("got %d, %d, %d notices, cursors %q %q", len(none), len(page), len(rest), next, end)
		}
		if err := r.s.MarkRead(ctx, bob.Subject, page[0].ID); !errs.IsNotFound(err) {
			t.Errorf("a foreign notice: got %v", err)
		}
		must(t, r.s.MarkRead(ctx, alice.Subject, page[0].ID))
		page, _, err = r.s.Notices(ctx, alice.Subject, "en", "", 1)
		must(t, err)
		if page[0].ReadAt.IsZero() {
			t.Error("the notice is still unread")
		}
	})
}

func TestTheQueueKnowsAllSubscriptions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		got := r.verified(t, "alice")
		for topic, payload := range map[string]any{
			"service.active":   map[string]string{"Service": "svc_1", "Resource": "vpngw-1", "Account": string(got.Account)},
			"realname.decided": map[string]string{"Account": string(got.Account), "Subject": string(got.Subject), "Verification": "v1", "State": "rejected"},
		} {
			must(t, r.DB.InTx(ctx, func(tx *db.Tx) error { return r.Queue.PublishTx(ctx, tx, topic, payload) }))
		}
		must(t, r.DB.InTx(ctx, func(tx *db.Tx) error {
			return r.Queue.EnqueueTx(ctx, tx, job.Job{Kind: "realname.decided/notify", Payload: map[string]string{"State": "verifying"}})
		}))
		r.settle(t)
		if len(r.box.mails) != 2 {
			t.Errorf("got %d mails, want 2", len(r.box.mails))
		}
	})
}

func TestEveryColumnIsDescribed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		live, err := r.DB.Schema(ctx)
		must(t, err)
		for name := range live {
			if !strings.HasPrefix(name, "notify_") || strings.HasSuffix(name, "_schema") {
				delete(live, name)
			}
		}
		if err := holding.Verify(notify.Holdings(), live); err != nil {
			t.Error(err)
		}
	})
}

// TestEndsOfCertificatesAreTold: every topic of the module vpn, with what it
// carries, makes one notice and one mail.
func TestEndsOfCertificatesAreTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		owner := r.Register(t, "alice")
		r.settle(t)
		must(t, r.Account.VerifyEmail(ctx, token.FindStringSubmatch(r.box.mails[0].Text)[2], accounttest.From))
		r.box.mails = nil
		for range 2 { // told again after a crash
			for topic, days := range map[string]int{
				notify.CertificateExpiring: 7, notify.CertificateExpired: 0, notify.ClientCertificatesEnding: 30, notify.ClientCertificatesExpired: 0,
			} {
				e := map[string]any{"Account": owner.Account, "Certificate": "cert-1", "Server": "sslsrv-1", "Count": 12, "Days": days, "Date": "2027-01-31"}
				must(t, r.DB.InTx(ctx, func(tx *db.Tx) error { return r.Queue.PublishTx(ctx, tx, topic, e) }))
			}
			r.settle(t)
		}
		if len(r.box.mails) != 4 {
			t.Fatalf("got %d mails, want 4", len(r.box.mails))
		}
		all := ""
		for _, m := range r.box.mails {
			all += m.Title + m.Text
		}
		for _, part := range []string{"cert-1", "sslsrv-1", "12 client certificate", "2027-01-31", "https://console.example.org/certificates/cert-1"} {
			if !strings.Contains(all, part) {
				t.Errorf("no mail says %q:\n%s", part, all)
			}
		}
	})
}

func TestDecisionsAboutQuotasAreTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		owner := r.verified(t, "alice")
		for topic, e := range map[string]map[string]any{
			notify.QuotaSet:      {"ID": "quo_1", "Account": owner.Account, "Quota": "vpn_gateways", "Limit": 40},
			notify.QuotaDeclined: {"ID": "quo_2", "Account": owner.Account, "Quota": "certificates"},
		} {
			must(t, r.DB.InTx(ctx, func(tx *db.Tx) error { return r.Queue.PublishTx(ctx, tx, topic, e) }))
		}
		r.settle(t)
		list, _, err := r.s.Notices(ctx, owner.Subject, "en", "", 10)
		must(t, err)
		if all := fmt.Sprint(list); len(list) != 2 || !strings.Contains(all, "vpn_gateways of your account is 40") || !strings.Contains(all, "larger quota certificates was declined") {
			t.Errorf("got %s", all)
		}
	})
}

// TestReachedLimitsAreTold, of a gateway or client once for each day and limit.
func TestReachedLimitsAreTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		owner := r.verified(t, "alice")
		for _, day := range []int64{1, 1, 2} {
			for topic, client := range map[string]string{notify.ConnectionsReached: "", notify.AllowanceReached: "sslcli-1", notify.ClientLocked: "sslcli-2"} {
				e := map[string]any{"Account": owner.Account, "Gateway": "vpngw-1", "Client": client, "Limit": 5, "Ends": day}
				must(t, r.DB.InTx(ctx, func(tx *db.Tx) error { return r.Queue.PublishTx(ctx, tx, topic, e) }))
			}
			r.settle(t)
		}
		other := map[string]any{"Account": owner.Account, "Gateway": "vpngw-1", "Client": "sslcli-3", "Ends": 1}
		must(t, r.DB.InTx(ctx, func(tx *db.Tx) error { return r.Queue.PublishTx(ctx, tx, notify.AllowanceReached, other) }))
		r.settle(t)
		list, _, err := r.s.Notices(ctx, owner.Subject, "en", "", 10)
		must(t, err)
		all := fmt.Sprint(list)
		if len(list) != 7 || !strings.Contains(all, "SSL client sslcli-2 of VPN gateway vpngw-1 failed") || !strings.Contains(all, "/ssl-clients/sslcli-3") || !strings.Contains(all, "All 5 connections of VPN gateway vpngw-1") || !strings.Contains(all, "/ssl-clients/sslcli-1") {
			t.Errorf("got %s", all)
		}
	})
}
