package bundle

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// Bounds of single fields, in bytes unless said otherwise.
const (
	maxName    = 64 // characters
	maxAccount = 256
	maxGroup   = 64
	maxPEM     = 64 << 10
	maxURL     = 512
	maxHost    = 253
)

func (b Bundle) check() error {
	if b.Version != Version {
		return ErrVersion.With("version", b.Version)
	}
	if err := b.Profile.Check(); err != nil {
		return err
	}
	if b.Key != nil && (b.Key.PKCS8 == "") == (b.Key.PKCS12 == "") {
		return bad("key")
	}
	if b.Key != nil && len(b.Key.PKCS8)+len(b.Key.PKCS12) > maxPEM {
		return bad("key")
	}
	return nil
}

func bad(name string) error { return ErrField.With("field", name) }

// Check refuses a profile with a field that is not what it should be; the error
// names the first such field.
func (p Profile) Check() error {
	for _, f := range []struct {
		name string
		good bool
	}{
		{"name", goodName(p.Name)},
		{"server", goodHostPort(p.Server)},
		{"group", p.Group == "" || len(p.Group) <= maxGroup && goodGroup.MatchString(p.Group)},
		{"account", len(p.Account) <= maxAccount && printable(p.Account)},
		{"pins", len(p.Pins) <= maxPins && every(p.Pins, goodPin)},
		{"ca", p.CA == "" || goodCertificates(p.CA)},
		{"certificate", p.Certificate == "" || goodCertificates(p.Certificate)},
		{"console", goodLink(p.Links.Console)},
		{"rights", goodLink(p.Links.Rights)},
		{"update", goodLink(p.Links.Update)},
		{"update_root", p.Links.UpdateRoot == "" || p.Links.Update != "" && goodDigest.MatchString(p.Links.UpdateRoot)},
	} {
		if !f.good {
			return bad(f.name)
		}
	}
	if err := p.Options.Check(); err != nil {
		return err
	}
	if p.Policy != nil {
		return p.Policy.Check()
	}
	return nil
}

// Check is Profile.Check for the options alone.
func (o Options) Check() error {
	switch {
	case !GoodTrusted(o.TrustedNetworks):
		return bad("trusted_networks")
	case !goodProxy(o.Proxy):
		return bad("proxy")
	case o.Token != TokenNone && o.Token != TokenTOTP && o.Token != TokenSoft:
		return bad("token")
	}
	return nil
}

var goodDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// GoodTrusted tells whether a list of trusted networks is in its bounds.
func GoodTrusted(all []TrustedNetwork) bool {
	return len(all) <= maxTrusted && !slices.ContainsFunc(all, func(n TrustedNetwork) bool { return n.Check() != nil })
}

func every(all []string, good func(string) bool) bool {
	for _, s := range all {
		if !good(s) {
			return false
		}
	}
	return true
}

// goodName admits what can stand in a list, a file's name and a log line.
func goodName(s string) bool {
	n := utf8.RuneCountInString(s)
	return n >= 1 && n <= maxName && printable(s) && strings.TrimSpace(s) == s &&
		!strings.ContainsAny(s, `/\:*?"<>|`) && strings.Trim(s, ".") != "" && s[0] != '.' && s[0] != '-'
}

// printable refuses control and format characters, which would let a name look
// like another one on a screen.
func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

var (
	goodGroup = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
	goodLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
)

func goodDomain(s string) bool {
	return len(s) <= maxHost && every(strings.Split(s, "."), goodLabel.MatchString)
}

func goodHost(s string) bool {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast()
	}
	return goodDomain(s)
}

func goodHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	n, bad := strconv.ParseUint(port, 10, 16)
	return err == nil && bad == nil && n > 0 && strconv.FormatUint(n, 10) == port && goodHost(host)
}

// PinPrefix begins a pin, as openconnect's --servercert writes it.
const PinPrefix = "pin-sha256:"

func goodPin(s string) bool {
	rest, ok := strings.CutPrefix(s, PinPrefix)
	sum, err := base64.StdEncoding.Strict().DecodeString(rest)
	return ok && err == nil && len(sum) == 32
}

func goodLink(s string) bool { return s == "" || goodURL(s, "https") }

// goodURL admits no user information: a password might stand there.
func goodURL(s, scheme string) bool {
	if len(s) > maxURL || !printable(s) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme == scheme && u.User == nil && u.Opaque == "" && goodHost(u.Hostname())
}

func goodProxy(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return goodURL(s, "http") && err == nil && goodHostPort(u.Host) && (u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.Fragment == ""
}

// goodCertificates admits certificates in PEM and nothing beside them.
func goodCertificates(text string) bool {
	all, err := Certificates(text)
	return len(text) <= maxPEM && err == nil && len(all) > 0
}

// Certificates reads PEM that holds certificates alone: a private key beside
// them is refused, so that none goes where it is not looked for.
func Certificates(text string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	rest := []byte(text)
	for len(strings.TrimSpace(string(rest))) > 0 {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, ErrField.With("field", "certificate")
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, errs.Wrap(errs.Invalid, "bundle.field", err).With("field", "certificate")
		}
		all = append(all, c)
	}
	return all, nil
}
