package app

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/privacy"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/provider/imap"
	simulator "github.com/skybridge-cloud/skybridge/internal/simulator/imap"
	"github.com/skybridge-cloud/skybridge/internal/web/selfsigned"
)

// mailbox is a mailbox of a printed address.
type mailbox struct {
	config.Mailbox
	channel, recipient string
}

func mailboxes(cfg config.Config) []mailbox {
	all := []mailbox{
		{cfg.Intake.ServiceMail, privacy.ChannelServiceMail, "mailbox.service"},
		{cfg.Intake.PrivacyMail, privacy.ChannelPrivacyMail, "mailbox.privacy"},
		{cfg.Intake.DPO, privacy.ChannelDPO, "mailbox.dpo"},
	}
	if cfg.Demo.Enabled {
		for i := range all {
			all[i].Host, all[i].User = cfg.Demo.IMAP, strings.TrimPrefix(all[i].recipient, "mailbox.")
		}
	}
	return all
}

// intake gives the rights desk what answers the channels of the policies.
func (m *modules) intake(cfg config.Config, d *privacy.Deps) error {
	o, sender, err := operator(cfg), mailFrom(cfg), error(nil)
	d.Mailboxes, d.URL = map[string]privacy.Mailbox{}, strings.TrimSuffix(cfg.Console.URL, "/")
	d.Addresses, d.Staffing, d.Mailer = m.account, m.account, m.sender
	d.OwnAddresses = []string{o.Mail, o.PrivacyMail, o.DPOContact, sender}
	if a, err := mail.ParseAddress(o.DPOContact); err == nil {
		d.DPOByMail = !strings.EqualFold(a.Address, o.Mail) && !strings.EqualFold(a.Address, o.PrivacyMail)
	}
	if d.Printed, err = consent.Printed(cfg.Profile, facts(cfg, nil).Operator); err != nil {
		return err
	}
	for _, b := range mailboxes(cfg) {
		if b.Host == "" {
			continue
		}
		secret, err := readSecret(b.PasswordFile)
		if cfg.Demo.Enabled {
			secret, err = demoSecret(cfg, "imap-password")
		}
		if err != nil {
			return fmt.Errorf("intake: the password of %s: %w", b.recipient, err)
		}
		d.Mailboxes[b.channel] = imap.New(imap.Config{Recipient: b.recipient, User: b.User, Password: secret}, m.egress)
	}
	return nil
}

// mailFrom is whom our mails are from.
func mailFrom(cfg config.Config) string {
	if cfg.Demo.Enabled {
		return demoMailFrom
	}
	return cfg.Mail.From
}

// door is the way out. In a demonstration it trusts the simulated mailboxes'
// certificate; everything else there is plain.
func door(cfg config.Config, d egress.Deps) (*egress.Egress, error) {
	if cfg.Demo.Enabled {
		cert, err := demoCertificate(cfg)
		if err != nil {
			return nil, err
		}
		leaf, err := x509.ParseCertificate(cert.Certificate[0])
		if err != nil {
			return nil, err
		}
		d.Roots = x509.NewCertPool()
		d.Roots.AddCert(leaf)
	}
	return egress.New(d), nil
}

// demoCertificate is the simulated mailboxes', shared with the simulators. Of two
// processes that make it at once one wins and both read it.
func demoCertificate(cfg config.Config) (tls.Certificate, error) {
	file := cfg.Path("demo", "imap.pem")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDemoCertificate(file); err != nil {
			return tls.Certificate{}, err
		}
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(text, text)
}

func makeDemoCertificate(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(file), "imap-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if _, err := selfsigned.Ensure(dir, []string{"127.0.0.1", "::1"}, time.Now()); err != nil {
		return err
	}
	var both []byte
	for _, name := range []string{"console.pem", "console.key"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		both = append(both, text...)
	}
	if err := durable.Create(file, both); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// mailboxSimulator listens for the demonstration's mailboxes.
func mailboxSimulator(cfg config.Config) (*simulator.Server, net.Listener, error) {
	s, err := mailboxServer(cfg)
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", cfg.Demo.IMAP)
	if err != nil {
		return nil, nil, fmt.Errorf("listening for mailboxes: %w", err)
	}
	return s, l, nil
}

func mailboxServer(cfg config.Config) (*simulator.Server, error) {
	cert, err := demoCertificate(cfg)
	if err != nil {
		return nil, err
	}
	secret, err := demoSecret(cfg, "imap-password")
	if err != nil {
		return nil, err
	}
	users := map[string]string{}
	for _, b := range mailboxes(cfg) {
		users[b.User] = secret
	}
	return simulator.New(cert, users)
}

// demoMail shows what was sent and takes mails to the operator:
// POST /mailboxes/privacy.
func demoMail(sent, received http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", sent)
	mux.Handle("/mailboxes/", received)
	return mux
}
