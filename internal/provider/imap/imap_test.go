package imap_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/provider/imap"
	simulator "github.com/skybridge-cloud/skybridge/internal/simulator/imap"
	"github.com/skybridge-cloud/skybridge/internal/web/selfsigned"
)

var ctx = context.Background()

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type rig struct {
	server *simulator.Server
	box    *imap.Mailbox
	at     privacy.Position
	took   []privacy.Mail
}

func newRig(t *testing.T, password string, trusted bool) *rig {
	t.Helper()
	cert, err := selfsigned.Ensure(t.TempDir(), []string{"127.0.0.1"}, time.Now())
	must(t, err)
	s, err := simulator.New(cert, map[string]string{"privacy": "correct"})
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() { stop(); must(t, <-done) })
	registry, err := egress.Load("mainland", true, map[string]egress.Override{"mailbox.privacy": {Endpoint: "imaps://" + l.Addr().String()}})
	must(t, err)
	roots := x509.NewCertPool()
	if trusted {
		roots.AddCert(leaf(t, cert))
	}
	door := egress.New(egress.Deps{Registry: registry, Clock: clock.System{}, Roots: roots})
	return &rig{server: s, box: imap.New(imap.Config{Recipient: "mailbox.privacy", User: "privacy", Password: password}, door)}
}

func leaf(t *testing.T, c tls.Certificate) *x509.Certificate {
	t.Helper()
	l, err := x509.ParseCertificate(c.Certificate[0])
	must(t, err)
	return l
}

func (r *rig) fetch() error {
	return r.box.Fetch(ctx, r.at, func(_ context.Context, m privacy.Mail, now privacy.Position) error {
		r.took, r.at = append(r.took, m), now
		return nil
	})
}

func text(n int) []byte {
	return fmt.Appendf(nil, "From: a%d@example.org\r\nMessage-ID: <%d@example.org>\r\nSubject: number %d\r\n\r\nhello\r\n", n, n, n)
}

func TestAMailboxIsReadInOrderFromWhereItWasLeft(t *testing.T) {
	t.Parallel()
	r := newRig(t, "correct", true)
	must(t, r.fetch())
	for n := range 3 {
		must(t, r.server.Deliver("privacy", text(n)))
	}
	must(t, r.fetch())
	must(t, r.fetch())
	must(t, r.server.Deliver("privacy", text(3)))
	must(t, r.fetch())
	if len(r.took) != 4 {
		t.Fatalf("took %d mails, want 4", len(r.took))
	}
	for n, m := range r.took {
		if m.Subject != fmt.Sprintf("number %d", n) || m.From != fmt.Sprintf("a%d@example.org", n) || m.Text != "hello" || m.Cut {
			t.Errorf("%d: got %+v", n, m)
		}
	}
}

func TestARunTakesABoundedNumberAndTheNextGoesOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, "correct", true)
	for n := range 61 {
		must(t, r.server.Deliver("privacy", text(n)))
	}
	must(t, r.fetch())
	if len(r.took) != 50 {
		t.Errorf("took %d at once, want 50", len(r.took))
	}
	must(t, r.fetch())
	if len(r.took) != 61 {
		t.Errorf("took %d, want 61", len(r.took))
	}
}

func TestNumbersThatBeginAnewAreReadAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, "correct", true)
	must(t, r.server.Deliver("privacy", text(1)))
	must(t, r.fetch())
	was := r.at
	must(t, r.server.Renumber("privacy"))
	must(t, r.server.Deliver("privacy", text(2)))
	must(t, r.fetch())
	if r.at.Validity == was.Validity || len(r.took) != 3 || r.took[2].Subject != "number 2" {
		t.Errorf("took %d to %+v, was %+v", len(r.took), r.at, was)
	}
}

// A connection that ends anywhere hands over whole mails only, and the next run
// goes on after them.
func TestAConnectionThatBreaksOffLosesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, "correct", true)
	for n := range 5 {
		must(t, r.server.Deliver("privacy", text(n)))
	}
	broken := 0
	for cut := int64(1500); len(r.took) < 5 && cut < 40000; cut += 97 {
		r.server.Cut(cut)
		if r.fetch() != nil {
			broken++
		}
	}
	if len(r.took) != 5 || broken == 0 {
		t.Fatalf("took %d mails over %d broken connections", len(r.took), broken)
	}
	for n, m := range r.took {
		if m.Subject != fmt.Sprintf("number %d", n) || m.Text != "hello" {
			t.Errorf("%d: got %+v", n, m)
		}
	}
}

func TestAHugeMailIsCut(t *testing.T) {
	t.Parallel()
	r := newRig(t, "correct", true)
	must(t, r.server.Deliver("privacy", append(text(1), []byte(strings.Repeat("lorem ipsum\r\n", 300000))...)))
	must(t, r.server.Deliver("privacy", text(2)))
	must(t, r.fetch())
	if len(r.took) != 2 || !r.took[0].Cut || len(r.took[0].Text) > 64<<10 || r.took[1].Cut {
		t.Errorf("took %d mails, the first cut: %v, %d bytes", len(r.took), r.took[0].Cut, len(r.took[0].Text))
	}
}

func TestAWrongPasswordOrCertificateIsNoMail(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*rig{"password": newRig(t, "wrong", true), "certificate": newRig(t, "correct", false)} {
		must(t, r.server.Deliver("privacy", text(1)))
		err := r.fetch()
		if err == nil || len(r.took) > 0 || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s: got %v and %d mails", name, err, len(r.took))
		}
	}
	if _, err := egress.Load("mainland", true, map[string]egress.Override{"mailbox.privacy": {Endpoint: "imap://127.0.0.1:143"}}); err == nil {
		t.Error("a mailbox without TLS was accepted")
	}
}

func TestWhatFailsToTakeStopsTheRun(t *testing.T) {
	t.Parallel()
	r := newRig(t, "correct", true)
	must(t, r.server.Deliver("privacy", text(1)))
	must(t, r.server.Deliver("privacy", text(2)))
	full, n := errors.New("disk full"), 0
	err := r.box.Fetch(ctx, privacy.Position{}, func(context.Context, privacy.Mail, privacy.Position) error { n++; return full })
	if !errors.Is(err, full) || n != 1 {
		t.Errorf("got %v after %d mails", err, n)
	}
}
