package bundle_test

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

func certificate(t testing.TB) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "zhang"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func pemOf(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func policy() *bundle.Policy {
	texts := []bundle.Text{{Locale: "zh-CN", Title: "隐私政策", Body: "# 隐私政策\n\n[TY-0a] **请阅读**"}, {Locale: "en", Title: "Policy", Body: "# Policy\n\n[TY-0a] **Read it**"}}
	return &bundle.Policy{Version: "1.0.0", Change: "major", Effective: time.Unix(1e9, 0).UTC(), SHA256: bundle.Digest("1.0.0", texts), Texts: texts}
}

const pin = "pin-sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

func whole(t testing.TB) bundle.Bundle {
	t.Helper()
	c, key := certificate(t)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return bundle.Bundle{
		Version: bundle.Version,
		Profile: bundle.Profile{
			Name: "总部 VPN", Server: "vpn.example.org:8443", Group: "staff", Account: "zhang", Pins: []string{pin},
			Certificate: pemOf(c), CA: pemOf(c),
			Options: bundle.Options{DTLS: true, TrustedNetworks: []bundle.TrustedNetwork{{Domain: "corp.example.org", Host: "10.1.0.1:443", Pin: pin}}, Proxy: "http://proxy.example.org:3128", Token: bundle.TokenTOTP},
			Links:   bundle.Links{Console: "https://console.example.org/account"},
			Policy:  policy(),
		},
		Key: &bundle.Key{PKCS8: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))},
	}
}

func TestWhatIsNoProfileIsRefused(t *testing.T) {
	t.Parallel()
	good, err := whole(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	replaced := func(old, with string) []byte {
		out := bytes.Replace(good, []byte(old), []byte(with), 1)
		if bytes.Equal(out, good) {
			t.Fatalf("%q is not in the file", old)
		}
		return out
	}
	cases := []struct {
		name string
		text []byte
		want error
	}{
		{"nothing", nil, bundle.ErrMalformed},
		{"a web page", []byte("<html>"), bundle.ErrMalformed},
		{"half of it", good[:len(good)/2], bundle.ErrMalformed},
		{"something behind it", append(bytes.Clone(good), "{}"...), bundle.ErrMalformed},
		{"an unknown key", replaced(`"account"`, `"password"`), bundle.ErrMalformed},
		{"another type", replaced(`"dtls": true`, `"dtls": "yes"`), bundle.ErrMalformed},
		{"a later version", replaced(`"version": 1`, `"version": 2`), bundle.ErrVersion},
		{"too much", bytes.Repeat([]byte(" "), bundle.MaxSize+1), bundle.ErrTooLarge},
		{"a policy that was changed", replaced("**Read it**", "**Skip it**"), bundle.ErrField},
	}
	for _, c := range cases {
		if _, err := bundle.Parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestEachFieldHasItsBounds(t *testing.T) {
	t.Parallel()
	c, _ := certificate(t)
	cases := []struct {
		field string
		spoil func(*bundle.Profile)
	}{
		{"name", func(p *bundle.Profile) { p.Name = "" }},
		{"name", func(p *bundle.Profile) { p.Name = strings.Repeat("名", 65) }},
		{"name", func(p *bundle.Profile) { p.Name = "../../etc/passwd" }},
		{"name", func(p *bundle.Profile) { p.Name = ".." }},
		{"name", func(p *bundle.Profile) { p.Name = "a\x1b[2Jb" }},
		{"name", func(p *bundle.Profile) { p.Name = "a\u202eb" }},
		{"name", func(p *bundle.Profile) { p.Name = "-rf" }},
		{"name", func(p *bundle.Profile) { p.Name = "a\xff" }},
		{"server", func(p *bundle.Profile) { p.Server = "vpn.example.org" }},
		{"server", func(p *bundle.Profile) { p.Server = "vpn.example.org:0" }},
		{"server", func(p *bundle.Profile) { p.Server = "vpn.example.org:99999" }},
		{"server", func(p *bundle.Profile) { p.Server = "a b:443" }},
		{"server", func(p *bundle.Profile) { p.Server = "x\r\nHost: y:443" }},
		{"server", func(p *bundle.Profile) { p.Server = "0.0.0.0:443" }},
		{"group", func(p *bundle.Profile) { p.Group = "../admin" }},
		{"group", func(p *bundle.Profile) { p.Group = "a HTTP/1.1\r\n" }},
		{"account", func(p *bundle.Profile) { p.Account = "a\x00b" }},
		{"pins", func(p *bundle.Profile) { p.Pins = []string{"sha1:AAAA"} }},
		{"pins", func(p *bundle.Profile) { p.Pins = []string{"pin-sha256:AAAA"} }},
		{"ca", func(p *bundle.Profile) { p.CA = "hello" }},
		{"certificate", func(p *bundle.Profile) {
			p.Certificate = pemOf(c) + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
		}},
		{"console", func(p *bundle.Profile) { p.Links.Console = "http://console.example.org" }},
		{"console", func(p *bundle.Profile) { p.Links.Console = "javascript:alert(1)" }},
		{"update_root", func(p *bundle.Profile) { p.Links.UpdateRoot = strings.Repeat("a", 64) }},
		{"update_root", func(p *bundle.Profile) {
			p.Links.Update, p.Links.UpdateRoot = "https://example.org/", strings.Repeat("A", 64)
		}},
		{"update", func(p *bundle.Profile) { p.Links.Update = "https://user:word@example.org/" }},
		{"trusted_networks", func(p *bundle.Profile) { p.Options.TrustedNetworks[0].Domain = "" }},
		{"trusted_networks", func(p *bundle.Profile) { p.Options.TrustedNetworks[0].Host = "intranet.example.org:443" }},
		{"trusted_networks", func(p *bundle.Profile) { p.Options.TrustedNetworks[0].Host = "127.0.0.1:443" }},
		{"trusted_networks", func(p *bundle.Profile) { p.Options.TrustedNetworks[0].Pin = "" }},
		{"trusted_networks", func(p *bundle.Profile) { p.Options.TrustedNetworks = make([]bundle.TrustedNetwork, 17) }},
		{"proxy", func(p *bundle.Profile) { p.Options.Proxy = "socks5://proxy.example.org:1080" }},
		{"proxy", func(p *bundle.Profile) { p.Options.Proxy = "http://u:p@proxy.example.org:1080" }},
		{"token", func(p *bundle.Profile) { p.Options.Token = "sms" }},
		{"policy.version", func(p *bundle.Profile) { p.Policy.Version = "1.0" }},
		{"policy.change", func(p *bundle.Profile) { p.Policy.Change = "none" }},
		{"policy.texts", func(p *bundle.Profile) { p.Policy.Texts = p.Policy.Texts[:1] }},
		{"policy.texts", func(p *bundle.Profile) { p.Policy.Texts[0].Body = "\x1b]0;title\x07" }},
		{"policy.sha256", func(p *bundle.Profile) { p.Policy.SHA256 = strings.Repeat("0", 64) }},
	}
	for _, c := range cases {
		b := whole(t)
		c.spoil(&b.Profile)
		_, err := b.Marshal()
		var e *errs.Error
		if !errors.As(err, &e) || !errors.Is(err, bundle.ErrField) || e.Params["field"] != c.field {
			t.Errorf("%s: got %v, want its field refused", c.field, err)
		}
	}
}

func TestABundleComesBackByFileAndByLink(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := whole(t).Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := want.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := bundle.Parse(file)
	if err != nil || !cmp.Equal(got, want) {
		t.Fatalf("by file: %v\n%s", err, cmp.Diff(want, got))
	}
	link, err := want.Link()
	if err != nil {
		t.Fatal(err)
	}
	if got, err = bundle.ParseLink(link + "\n"); err != nil || !cmp.Equal(got, want) {
		t.Fatalf("by link: %v\n%s", err, cmp.Diff(want, got))
	}
	if id, err := got.Verify(); err != nil || id != bundle.KeyID(key.Public().(ed25519.PublicKey)) {
		t.Errorf("got key %q, %v", id, err)
	}
}

func TestASignatureHoldsForWhatWasSignedAlone(t *testing.T) {
	t.Parallel()
	_, key, _ := ed25519.GenerateKey(nil)
	_, other, _ := ed25519.GenerateKey(nil)
	signed, err := whole(t).Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := whole(t).Verify(); id != "" || err != nil {
		t.Errorf("unsigned: got %q, %v", id, err)
	}
	forged, _ := signed.Sign(other)
	for name, spoil := range map[string]func(*bundle.Bundle){
		"another server":   func(b *bundle.Bundle) { b.Profile.Server = "evil.example.org:443" },
		"another option":   func(b *bundle.Bundle) { b.Profile.Options.KillSwitch = true },
		"without its key":  func(b *bundle.Bundle) { b.Key = nil },
		"without a policy": func(b *bundle.Bundle) { b.Profile.Policy = nil },
		"another signer": func(b *bundle.Bundle) {
			b.Signature = &bundle.Signature{Key: forged.Signature.Key, Value: b.Signature.Value}
		},
		"a short signature": func(b *bundle.Bundle) { b.Signature = &bundle.Signature{Key: b.Signature.Key, Value: "AAAA"} },
		"a short key":       func(b *bundle.Bundle) { b.Signature = &bundle.Signature{Key: "AAAA", Value: b.Signature.Value} },
	} {
		b := signed
		spoil(&b)
		if id, err := b.Verify(); !errors.Is(err, bundle.ErrSignature) || id != "" {
			t.Errorf("%s: got %q, %v", name, id, err)
		}
	}
}

func link(t *testing.T, how byte, text []byte) string {
	t.Helper()
	out := bytes.NewBuffer([]byte{how})
	w, err := flate.NewWriter(out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(text)
	_ = w.Close()
	return bundle.LinkPrefix + base64.RawURLEncoding.EncodeToString(out.Bytes())
}

func TestALinkUnpacksToABoundOnly(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, link string
		want       error
	}{
		{"a web address", "https://example.org/#AAAA", bundle.ErrLink},
		{"nothing behind the mark", bundle.LinkPrefix, bundle.ErrLink},
		{"another alphabet", bundle.LinkPrefix + "AA+/", bundle.ErrLink},
		{"another packing", link(t, 9, []byte("{}")), bundle.ErrLink},
		{"cut off", link(t, 1, bytes.Repeat([]byte("x"), 5000))[:40], bundle.ErrLink},
		{"a bomb", link(t, 1, make([]byte, 16<<20)), bundle.ErrTooLarge},
		{"no profile", link(t, 1, []byte("{}")), bundle.ErrVersion},
		{"too long", bundle.LinkPrefix + strings.Repeat("A", 64<<10), bundle.ErrLink},
	}
	for _, c := range cases {
		if _, err := bundle.ParseLink(c.link); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestAKeyIsOpenedByItsPassphrase(t *testing.T) {
	t.Parallel()
	c, key := certificate(t)
	other, _ := certificate(t)
	file, err := pkcs12.Modern.Encode(key, c, nil, "right phrase")
	if err != nil {
		t.Fatal(err)
	}
	sealed := bundle.Key{PKCS12: base64.StdEncoding.EncodeToString(file)}
	for phrase, want := range map[string]error{"": bundle.ErrPhrase, "wrong": bundle.ErrPhrase, "right phrase": nil} {
		got, err := sealed.Open(phrase)
		if !errors.Is(err, want) {
			t.Errorf("phrase %q: got %v, want %v", phrase, err, want)
		}
		if want == nil && (!got.Fits(c) || got.Fits(other) || len(got.Certificates) != 1) {
			t.Error("the key is not that of its certificate")
		}
	}
	for name, k := range map[string]bundle.Key{
		"no base64": {PKCS12: "%"}, "no PKCS #12": {PKCS12: "AAAA"}, "no PEM": {PKCS8: "key"},
		"a certificate": {PKCS8: pemOf(c)}, "no key inside": {PKCS8: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"},
	} {
		if _, err := k.Open("right phrase"); !errors.Is(err, bundle.ErrKey) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A number of rounds that would keep a machine busy for years is seen before the
// first one.
func TestAKeyThatCostsYearsIsRefused(t *testing.T) {
	t.Parallel()
	type parameters struct {
		Salt   []byte
		Rounds int
	}
	type nested struct{ Inner parameters }
	for rounds, want := range map[int]error{1 << 40: bundle.ErrKey} {
		der, err := asn1.Marshal(nested{parameters{[]byte("saltsalt"), rounds}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bundle.OpenPKCS12(der, "x"); !errors.Is(err, want) {
			t.Errorf("got %v", err)
		}
	}
	c, key := certificate(t)
	file, err := pkcs12.Modern.Encode(key, c, nil, "x") // 2048 rounds
	if err != nil {
		t.Fatal(err)
	}
	for most, want := range map[int64]bool{2000: true, 3000: false} {
		if got := bundle.AsksFor(file, most); got != want {
			t.Errorf("more than %d rounds: got %v, want %v", most, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	good, err := whole(f).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"version":1,"profile":{"name":"a","server":"b:1","options":{},"links":{}}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := bundle.Parse(text)
		if err != nil {
			return
		}
		again, err := b.Marshal()
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if twice, err := bundle.Parse(again); err != nil || !cmp.Equal(b, twice) {
			t.Fatalf("what was written reads otherwise: %v\n%s", err, cmp.Diff(b, twice))
		}
	})
}

func FuzzParseLink(f *testing.F) {
	l, err := whole(f).Link()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(l)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := bundle.ParseLink(text)
		if err == nil {
			_, err = b.Marshal()
		}
		if err != nil && errs.CodeOf(err) == "internal" {
			t.Fatalf("got %v, which no sentence explains", err)
		}
	})
}

func FuzzOpenPKCS12(f *testing.F) {
	c, key := certificate(f)
	file, err := pkcs12.Modern.Encode(key, c, nil, "x")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := bundle.OpenPKCS12(file, "x"); err != nil && errs.CodeOf(err) == "internal" {
			t.Fatalf("got %v, which no sentence explains", err)
		}
	})
}

// TestAProfileFitsIntoAQRCode shows what a code holds beside the text of a
// policy: server, account, pin and certificate. A private key comes by file.
func TestAProfileFitsIntoAQRCode(t *testing.T) {
	t.Parallel()
	_, key, _ := ed25519.GenerateKey(nil)
	b := whole(t)
	b.Key, b.Profile.CA = nil, ""
	var texts []bundle.Text
	for _, locale := range bundle.Languages {
		body, err := os.ReadFile("../../control/consent/documents/client." + locale + ".md")
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(strings.TrimPrefix(string(body), "---\n"), "---\n")
		text = strings.NewReplacer("{{brand}}", "天翼测试云", "{{client}}", "skyconnect", "{{legal_name}}", "某某科技有限公司", "{{mail}}", "service@example.org").Replace(strings.TrimSpace(text))
		texts = append(texts, bundle.Text{Locale: locale, Title: "VPN 接入隐私政策", Body: text})
	}
	b.Profile.Policy = &bundle.Policy{Version: "1.0.0", Change: "major", Effective: time.Unix(1e9, 0).UTC(), SHA256: bundle.Digest("1.0.0", texts), Texts: texts}
	signed, err := b.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	link, err := signed.Link()
	if err != nil {
		t.Fatal(err)
	}
	if len(link) > bundle.MaxQR {
		t.Errorf("the link has %d characters, a code holds %d", len(link), bundle.MaxQR)
	}
}
