package smtp_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account/accounttest"
	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/provider/smtp"
	sink "github.com/skybridge-cloud/skybridge/internal/simulator/smtp"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// certificate makes a server's certificate for 127.0.0.1 and its pool.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	must(t, err)
	leaf, err := x509.ParseCertificate(raw)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}}, pool
}

type rig struct {
	accounttest.Rig
	sink   *sink.Server
	sender *smtp.Sender
}

// setUp starts a sink on loopback and a sender that reaches it through egress.
func setUp(t *testing.T, server *tls.Config, roots *x509.CertPool, c smtp.Config) rig {
	t.Helper()
	r := accounttest.New(t, dbtest.SQLite(t, append(accounttest.Migrations(), notify.Migrations())...), consent.Mainland, true)
	s := sink.New(server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	registry, err := egress.Load("mainland", true, map[string]egress.Override{"mail.smtp": {Endpoint: "smtp://" + l.Addr().String(), LegalName: "sink", Contact: "none"}})
	must(t, err)
	door := egress.New(egress.Deps{Registry: registry, Ledger: r.Audit, Gate: r.Consent, Clock: r.Clock, Roots: roots})
	c.From = "Example <no-reply@example.org>"
	sender, err := smtp.New(c, door)
	must(t, err)
	return rig{r, s, sender}
}

func mail() notify.Mail {
	return notify.Mail{
		Reference: "msg_1", Subject: id.NewHandle(), Purpose: "verify", To: "alice@example.org", Title: "请验证您的邮箱",
		Text: "你好\n.\n..two dots\n", HTML: "<p>你好</p>",
	}
}

func (r rig) phases(t *testing.T) string {
	t.Helper()
	all, err := db.Select(context.Background(), r.DB, db.One[string], "SELECT phase FROM audit_disclosure ORDER BY at, phase DESC")
	must(t, err)
	return strings.Join(all, " ")
}

func TestAMailGoesOutOverSTARTTLSAndIsRegistered(t *testing.T) {
	t.Parallel()
	server, roots := certificate(t)
	r := setUp(t, server, roots, smtp.Config{User: "u", Password: "p"})
	must(t, r.sender.Send(context.Background(), mail()))
	all := r.sink.Messages()
	if len(all) != 1 {
		t.Fatalf("got %d mails", len(all))
	}
	m := all[0]
	if !m.TLS || m.Title != "请验证您的邮箱" || m.Text != "你好\n.\n..two dots\n" || !strings.Contains(m.HTML, "<p>你好</p>") || m.From != "no-reply@example.org" {
		t.Errorf("got %+v", m)
	}
	for _, want := range []string{"Message-ID: <msg_1@example.org>", "Auto-Submitted: auto-generated"} {
		if !strings.Contains(m.Data, want) {
			t.Errorf("no %s in %s", want, m.Data)
		}
	}
	if got := r.phases(t); got != "intent done" && got != "done intent" {
		t.Errorf("register: got %s", got)
	}
}

func TestNothingGoesOutInClear(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil, nil, smtp.Config{}) // a server that offers no STARTTLS
	if err := r.sender.Send(context.Background(), mail()); !errors.Is(err, notify.ErrLater) {
		t.Errorf("got %v", err)
	}
	server, _ := certificate(t)
	r = setUp(t, server, x509.NewCertPool(), smtp.Config{}) // a certificate that nobody knows
	if err := r.sender.Send(context.Background(), mail()); !errors.Is(err, notify.ErrLater) {
		t.Errorf("got %v", err)
	}
	if len(r.sink.Messages()) != 0 {
		t.Error("a mail went out")
	}
	if _, err := smtp.New(smtp.Config{From: "a@example.org", TLS: "none"}, nil); err == nil {
		t.Error("no TLS is accepted outside the demo")
	}
}

func TestAnswersOfTheServer(t *testing.T) {
	t.Parallel()
	demo := smtp.Config{TLS: "none", Demo: true}
	cases := []struct {
		what    string
		fault   sink.Fault
		want    error
		kept    int
		outcome string
	}{
		{"later", sink.Fault{Reply: "451 4.3.0 later alice@example.org"}, notify.ErrLater, 0, "failed"},
		{"never", sink.Fault{Reply: "550 5.7.1 no alice@example.org"}, notify.ErrRefused, 0, "failed"},
		{"no such recipient", sink.Fault{Rcpt: "550 5.1.1 nobody alice@example.org"}, notify.ErrRefused, 0, "failed"},
		{"no answer", sink.Fault{Drop: true}, notify.ErrLater, 1, "unknown"},
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			r := setUp(t, nil, nil, demo)
			r.sink.SetFault(c.fault)
			err := r.sender.Send(context.Background(), mail())
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "alice") {
				t.Errorf("the error names the address: %v", err)
			}
			if len(r.sink.Messages()) != c.kept || !strings.Contains(r.phases(t), c.outcome) {
				t.Errorf("kept %d, register %s, want %d, %s", len(r.sink.Messages()), r.phases(t), c.kept, c.outcome)
			}
		})
	}
}

func TestALineBreakIsNoHeader(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil, nil, smtp.Config{TLS: "none", Demo: true})
	for _, change := range []func(*notify.Mail){
		func(m *notify.Mail) { m.Title = "x\r\nBcc: eve@example.org" },
		func(m *notify.Mail) { m.To = "alice@example.org\r\nRCPT TO:<eve@example.org>" },
		func(m *notify.Mail) { m.To = "not an address" },
	} {
		m := mail()
		change(&m)
		if err := r.sender.Send(context.Background(), m); !errors.Is(err, notify.ErrRefused) {
			t.Errorf("got %v", err)
		}
	}
	if len(r.sink.Messages()) != 0 {
		t.Error("a mail went out")
	}
}

// From the registration to the click on the link in the mail.
func TestARegistrationIsVerifiedByItsMail(t *testing.T) {
	t.Parallel()
	r := setUp(t, nil, nil, smtp.Config{TLS: "none", Demo: true})
	_, err := notify.New(notify.Deps{
		DB: r.DB, Clock: r.Clock, Queue: r.Queue, Log: slog.New(slog.DiscardHandler), Account: r.Account,
		Sender: r.sender, URL: "https://console.example.org", Brand: "Example",
	})
	must(t, err)
	r.Register(t, "alice")
	must(t, r.Queue.Drain(context.Background()))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	m, err := r.sink.Wait(ctx, "alice@example.org", 0)
	must(t, err)
	found := regexp.MustCompile(`#token=([a-z2-7]+)`).FindStringSubmatch(m.Text)
	if len(found) != 2 {
		t.Fatalf("got %s", m.Text)
	}
	must(t, r.Account.VerifyEmail(ctx, found[1], accounttest.From))
	if !r.Login(t, "alice").Principal.EmailVerified {
		t.Error("the address is not verified")
	}
}
