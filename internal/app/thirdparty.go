package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/consent"
	"github.com/skybridge-cloud/skybridge/internal/control/notify"
	"github.com/skybridge-cloud/skybridge/internal/control/realname"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
	"github.com/skybridge-cloud/skybridge/internal/platform/config"
	"github.com/skybridge-cloud/skybridge/internal/platform/durable"
	"github.com/skybridge-cloud/skybridge/internal/platform/egress"
	"github.com/skybridge-cloud/skybridge/internal/platform/id"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
	"github.com/skybridge-cloud/skybridge/internal/provider/aliyun"
	"github.com/skybridge-cloud/skybridge/internal/provider/smtp"
)

// Ids in the registry of recipients.
const (
	recipientIDV  = "idv.aliyun"
	recipientMail = "mail.smtp"
)

// Names and keys of the demonstration's accounts at the simulators. Keys are
// random per installation.
const (
	demoAccessKey = "demo-access-key"
	demoMailFrom  = "no-reply@demo.invalid"
)

// recipients reads the registry of everybody that anything is sent to.
func recipients(cfg config.Config) (*egress.Registry, error) {
	o := map[string]egress.Override{}
	if cfg.Demo.Enabled {
		o[recipientIDV] = egress.Override{
			Endpoint: "http://" + cfg.Demo.Aliyun, LegalName: "Demo identity check (simulator)", Contact: "http://" + cfg.Demo.Aliyun,
			Region: storeRegion(cfg), Mechanism: cfg.Operator.Mechanism,
		}
		o[recipientSMS] = egress.Override{
			Endpoint: "http://" + cfg.Demo.Aliyun, LegalName: "Demo SMS (simulator)", Contact: "http://" + cfg.Demo.Aliyun,
			Region: storeRegion(cfg), Mechanism: cfg.Operator.Mechanism,
		}
		o[recipientMail] = egress.Override{Endpoint: "smtp://" + cfg.Demo.SMTP, LegalName: "Demo mail sink (simulator)", Contact: "http://" + cfg.Demo.Mailbox, Region: storeRegion(cfg)}
		for _, b := range mailboxes(cfg) {
			o[b.recipient] = egress.Override{Endpoint: "imaps://" + cfg.Demo.IMAP, LegalName: "Demo mailbox (simulator)", Region: storeRegion(cfg)}
		}
		demoPayments(cfg, o)
		return egress.Load(cfg.Profile, true, o)
	}
	realPayments(cfg, o)
	if cfg.Mail.Host != "" {
		o[recipientMail] = egress.Override{Endpoint: fmt.Sprintf("%s://%s:%d", mailScheme(cfg), cfg.Mail.Host, cfg.Mail.Port), LegalName: cfg.Operator.LegalName, Contact: cfg.Operator.Mail, Mechanism: cfg.Operator.Mechanism}
	}
	if cfg.RealName.AccessKeyID != "" {
		o[recipientIDV] = egress.Override{Endpoint: cfg.RealName.Endpoint, Mechanism: cfg.Operator.Mechanism}
	}
	if cfg.SMS.AccessKeyID != "" {
		o[recipientSMS] = egress.Override{Endpoint: cfg.SMS.Endpoint, Mechanism: cfg.Operator.Mechanism}
	}
	for _, b := range mailboxes(cfg) {
		if b.Host != "" {
			o[b.recipient] = egress.Override{Endpoint: fmt.Sprintf("imaps://%s", net.JoinHostPort(b.Host, strconv.Itoa(b.Port))), LegalName: cfg.Operator.LegalName, Region: storeRegion(cfg)}
		}
	}
	return egress.Load(cfg.Profile, false, o)
}

// facts are what the policies print about the operator.
func facts(cfg config.Config, registry *egress.Registry) consent.Facts {
	o := operator(cfg)
	f := consent.Facts{Profile: cfg.Profile, Mechanism: o.Mechanism, Operator: consent.Operator{
		Brand: o.Brand, LegalName: o.LegalName, Address: o.Address, Mail: o.Mail, PrivacyMail: o.PrivacyMail, Phone: o.Phone, QQGroup: o.QQGroup,
		DPO: o.DPO, DPOContact: o.DPOContact, Representative: o.Representative, Complaint: o.Complaint, Authority: o.Authority,
		URL: cfg.Console.URL,
	}}
	if registry == nil {
		return f // of the operator alone
	}
	for _, r := range registry.Recipients() {
		row := consent.Recipient{Name: r.LegalName, Contact: r.Contact, Role: r.Role, Region: r.Region}
		for _, op := range r.Ops {
			row.Purpose = strings.Join(op.Purposes, ", ")
			row.Fields = append(row.Fields, op.Fields...)
		}
		row.Fields = unique(row.Fields)
		if mutant.Off("SUP-3") {
			row.Fields = nil
		}
		f.Recipients = append(f.Recipients, row)
	}
	return f
}

func unique(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// mailScheme is TLS from the first byte on the port for it, else STARTTLS.
func mailScheme(cfg config.Config) string {
	if cfg.Mail.Port == 465 {
		return "smtps"
	}
	return "smtp"
}

// mailSender returns the way that mail goes out.
func mailSender(cfg config.Config, door *egress.Egress) (notify.Sender, error) {
	c := smtp.Config{Recipient: recipientMail, User: cfg.Mail.User, From: cfg.Mail.From, Demo: cfg.Demo.Enabled}
	if cfg.Demo.Enabled {
		c.TLS, c.From = "none", demoMailFrom
	} else {
		secret, err := readSecret(cfg.Mail.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("mail.password_file: %w", err)
		}
		c.Password = secret
		if mailScheme(cfg) == "smtps" {
			c.TLS = "tls"
		}
	}
	return smtp.New(c, door)
}

// identityChecker returns the source that identity is checked at.
func identityChecker(cfg config.Config, door *egress.Egress) (realname.Checker, error) {
	c := aliyun.Config{Recipient: recipientIDV, Egress: door, Clock: clock.System{}}
	var err error
	if cfg.Demo.Enabled {
		c.AccessKeyID = demoAccessKey
		if c.AccessKeySecret, err = demoSecret(cfg, "aliyun-secret"); err != nil {
			return nil, err
		}
		if _, c.PublicKey, err = demoSM2(cfg); err != nil {
			return nil, err
		}
		return aliyun.New(c)
	}
	if cfg.RealName.AccessKeyID == "" {
		return noChecker{}, nil
	}
	c.AccessKeyID, c.PublicKey = cfg.RealName.AccessKeyID, cfg.RealName.PublicKey
	if c.AccessKeySecret, err = readSecret(cfg.RealName.SecretFile); err != nil {
		return nil, fmt.Errorf("realname.secret_file: %w", err)
	}
	return aliyun.New(c)
}

// noChecker stands where no source is configured: a person decides.
type noChecker struct{}

func (noChecker) Check(context.Context, realname.CheckRequest) (realname.Result, error) {
	return "", realname.ErrSource
}

// readSecret reads a secret of the operator from its file.
func readSecret(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(text)), nil
}

// ensureSecret reads a random secret of this installation, making it the first
// time: 32 characters.
func ensureSecret(file string) (string, error) {
	return ensureFile(file, func() ([]byte, error) { return []byte(id.Random(20) + "\n"), nil })
}

// ensureFile reads what make makes the first time. Of two processes that make it
// at once one wins and both read it.
func ensureFile(file string, make func() ([]byte, error)) (string, error) {
	if text, err := readSecret(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	content, err := make()
	if err != nil {
		return "", err
	}
	if err := durable.Create(file, content); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	return readSecret(file)
}
