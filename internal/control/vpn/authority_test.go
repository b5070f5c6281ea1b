package vpn_test

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/vpn"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
	"github.com/skybridge-cloud/skybridge/internal/platform/db/dbtest"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
)

// paper is a certificate with its key.
type paper struct {
	*x509.Certificate
	key crypto.Signer
}

// papers counts serials; tests run beside each other.
var papers atomic.Int64

// issue makes a certificate below by, or a self-signed one; change may alter it.
func issue(t *testing.T, by *paper, key crypto.Signer, change func(*x509.Certificate)) *paper {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1000 + papers.Add(1)), Subject: pkix.Name{CommonName: "vpn.example.com"}, DNSNames: []string{"vpn.example.com"},
		NotBefore: start.Add(-time.Hour), NotAfter: start.AddDate(1, 0, 0), BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if key == nil {
		key = newKey(t)
	}
	if change != nil {
		change(c)
	}
	parent, signer := c, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	must(t, err)
	made, err := x509.ParseCertificate(der)
	must(t, err)
	return &paper{made, key}
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func asCA(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.Subject, c.DNSNames, c.IsCA, c.KeyUsage = pkix.Name{CommonName: name}, nil, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	}
}

func text(all ...*paper) []byte {
	var out []byte
	for _, p := range all {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Raw})...)
	}
	return out
}

func (p *paper) keyText(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	must(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// upload keeps a server's certificate under a name.
func (r rig) upload(t *testing.T, name string, leaf *paper, chain ...*paper) vpn.Certificate {
	t.Helper()
	c, err := r.s.UploadCertificate(ctx, alice, vpn.NewCertificate{
		Name: name, Kind: vpn.CertificateServer, Certificate: text(leaf), PrivateKey: leaf.keyText(t), Chain: text(chain...),
	})
	must(t, err)
	return c
}

func (r rig) uploadCA(t *testing.T, name string, ca *paper) vpn.Certificate {
	t.Helper()
	c, err := r.s.UploadCertificate(ctx, alice, vpn.NewCertificate{Name: name, Kind: vpn.CertificateClientCA, Certificate: text(ca)})
	must(t, err)
	return c
}

func TestWhatMayBeUploaded(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbOf(t))
	root := issue(t, nil, nil, asCA("Root"))
	middle := issue(t, root, nil, asCA("Middle"))
	leaf := issue(t, middle, nil, nil)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	own := func(key crypto.Signer, change func(*x509.Certificate)) *paper { return issue(t, nil, key, change) }
	old := own(nil, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = start.AddDate(-1, 0, 0), start })
	early := own(nil, func(c *x509.Certificate) { c.NotBefore = start.Add(time.Hour) })
	oldRoot := issue(t, nil, nil, func(c *x509.Certificate) { asCA("Old")(c); c.NotAfter = start.Add(-time.Minute) })
	user := own(nil, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })
	both := own(nil, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	})
	sha1 := own(strong, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA })
	strongPaper, edPaper := own(strong, nil), own(ed, nil)
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(strong)})
	sec1, err := x509.MarshalECPrivateKey(leaf.key.(*ecdsa.PrivateKey))
	must(t, err)
	withParameters := append(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8}}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})...)
	encrypted := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")})
	legacy := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00"}, Bytes: []byte("x")})
	const server, clientCA, peerCA = vpn.CertificateServer, vpn.CertificateClientCA, vpn.CertificatePeerCA
	for what, c := range map[string]struct {
		kind                    vpn.CertificateKind
		certificate, key, chain []byte
		want                    error
	}{
		"with its chain":              {server, text(leaf), leaf.keyText(t), text(middle, root), nil},
		"chain behind it":             {server, text(leaf, middle, root), leaf.keyText(t), nil, nil},
		"chain in both":               {server, text(leaf, middle), leaf.keyText(t), text(middle, root), nil},
		"without the root":            {server, text(leaf), leaf.keyText(t), text(middle), nil},
		"alone":                       {server, text(leaf), leaf.keyText(t), nil, nil},
		"with remarks":                {server, append([]byte("subject=vpn\n"), text(leaf)...), leaf.keyText(t), nil, nil},
		"RSA 2048, PKCS #1":           {server, text(strongPaper), pkcs1, nil, nil},
		"Ed25519":                     {server, text(edPaper), edPaper.keyText(t), nil, nil},
		"SEC 1 with parameters":       {server, text(leaf), withParameters, nil, nil},
		"for servers and clients":     {server, text(both), both.keyText(t), nil, nil},
		"a CA for clients":            {clientCA, text(root), nil, nil, nil},
		"a CA below another":          {clientCA, text(middle), nil, text(root), nil},
		"a CA for peers":              {peerCA, text(root), nil, nil, nil},
		"a client's":                  {vpn.CertificateClient, text(leaf), nil, nil, vpn.ErrCertificateClient},
		"gm-sign":                     {"gm-sign", text(leaf), nil, nil, vpn.ErrCertificateGM},
		"gm-enc":                      {"gm-enc", text(leaf), nil, nil, vpn.ErrCertificateGM},
		"gm-ca":                       {"gm-ca", text(leaf), nil, nil, vpn.ErrCertificateGM},
		"of no type":                  {"x", text(leaf), nil, nil, vpn.ErrCertificateKind},
		"no PEM":                      {server, leaf.Raw, leaf.keyText(t), nil, vpn.ErrCertificatePEM},
		"nothing":                     {server, nil, leaf.keyText(t), nil, vpn.ErrCertificatePEM},
		"half a block":                {server, text(leaf)[:200], leaf.keyText(t), nil, vpn.ErrCertificatePEM},
		"a block cut off at the end":  {server, append(text(leaf), text(middle)[:200]...), leaf.keyText(t), nil, vpn.ErrCertificatePEM},
		"a request":                   {server, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: newCSR(t)}), nil, nil, vpn.ErrCertificatePEM},
		"a block of nonsense":         {server, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), nil, nil, vpn.ErrCertificateUnreadable},
		"key among certificates":      {server, append(text(leaf), leaf.keyText(t)...), leaf.keyText(t), nil, vpn.ErrCertificateKeyInside},
		"above 64 KiB":                {server, append(text(leaf), bytes.Repeat([]byte(" "), 64<<10)...), leaf.keyText(t), nil, vpn.ErrCertificateLarge},
		"key of above 64 KiB":         {server, text(leaf), append(leaf.keyText(t), bytes.Repeat([]byte(" "), 64<<10)...), nil, vpn.ErrCertificateLarge},
		"expired":                     {server, text(old), old.keyText(t), nil, vpn.ErrCertificateEnded},
		"below an expired CA":         {server, text(issue(t, oldRoot, leaf.key, nil)), leaf.keyText(t), text(oldRoot), vpn.ErrCertificateEnded},
		"not yet valid":               {server, text(early), early.keyText(t), nil, vpn.ErrCertificateEarly},
		"RSA 1024":                    {server, text(own(weak, nil)), nil, nil, vpn.ErrCertificateWeakKey},
		"P-224":                       {server, text(own(p224, nil)), nil, nil, vpn.ErrCertificateWeakKey},
		"SHA-1":                       {server, text(sha1), nil, nil, vpn.ErrCertificateWeakSignature},
		"chain in disorder":           {server, text(leaf), leaf.keyText(t), text(root, middle), vpn.ErrCertificateChain},
		"chain of somebody else":      {server, text(leaf), leaf.keyText(t), text(issue(t, nil, nil, asCA("Middle"))), vpn.ErrCertificateChain},
		"a leaf that issues":          {server, text(issue(t, both, leaf.key, nil)), leaf.keyText(t), text(both), vpn.ErrCertificateChain},
		"a CA as a server's":          {server, text(root), root.keyText(t), nil, vpn.ErrCertificateIsCA},
		"for clients alone":           {server, text(user), user.keyText(t), nil, vpn.ErrCertificateUsage},
		"no key":                      {server, text(leaf), nil, nil, vpn.ErrCertificateKeyMissing},
		"another key":                 {server, text(leaf), middle.keyText(t), nil, vpn.ErrCertificateKeyForeign},
		"key of another kind":         {server, text(leaf), pkcs1, nil, vpn.ErrCertificateKeyForeign},
		"unreadable key":              {server, text(leaf), []byte("key"), nil, vpn.ErrCertificateKeyUnreadable},
		"key with a password":         {server, text(leaf), encrypted, nil, vpn.ErrCertificateKeyEncrypted},
		"key with a password, PKCS 1": {server, text(leaf), legacy, nil, vpn.ErrCertificateKeyEncrypted},
		"a leaf as CA":                {clientCA, text(leaf), nil, nil, vpn.ErrCertificateNoCA},
		"a CA with its key":           {peerCA, text(root), root.keyText(t), nil, vpn.ErrCertificateKeyUnwanted},
	} {
		got, err := r.s.UploadCertificate(ctx, alice, vpn.NewCertificate{
			Name: strings.Map(plain, what), Kind: c.kind, Certificate: c.certificate, PrivateKey: c.key, Chain: c.chain,
		})
		if !errors.Is(err, c.want) && err != c.want { //nolint:errorlint // nil is wanted too
			t.Errorf("%s: got %v, want %v", what, err, c.want)
		}
		if err == nil && (got.HasKey != (c.kind == server) || got.State(start) != vpn.CertificateValid) {
			t.Errorf("%s: got %+v", what, got)
		}
	}
}

func plain(r rune) rune {
	if strings.ContainsRune(" ,#'", r) {
		return '-'
	}
	return r
}

func TestACertificateIsListedRenamedAndDeleted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		root := issue(t, nil, nil, asCA("Root"))
		leaf := issue(t, root, nil, nil)
		c := r.upload(t, "one", leaf, root)
		f := c.Facts()
		if !strings.HasPrefix(c.ID, "cert-") || len(c.ID) != 21 || f.Subject != "CN=vpn.example.com" || f.Issuer != "CN=Root" || len(f.Fingerprint) != 64 ||
			f.Key != "ECDSA P-256" || !slices.Equal(f.Names, []string{"vpn.example.com"}) || c.Serial != strings.ToUpper(leaf.SerialNumber.Text(16)) {
			t.Errorf("got %+v %+v", c, f)
		}
		sealed, err := db.Get(ctx, r.db, nil, db.One[[]byte], "SELECT key_sealed FROM vpn_certificate WHERE id = $1", c.ID)
		der, _ := x509.MarshalPKCS8PrivateKey(leaf.key)
		if err != nil || len(sealed) == 0 || bytes.Contains(sealed, der[len(der)-32:]) {
			t.Errorf("the key is kept plain, or not: %v", err)
		}
		two := r.uploadCA(t, "two", root)
		_, err = r.s.UploadCertificate(ctx, alice, vpn.NewCertificate{Name: "two", Kind: vpn.CertificatePeerCA, Certificate: text(root)})
		if !errors.Is(err, vpn.ErrNameDuplicate) {
			t.Errorf("a second one of the name: got %v", err)
		}
		first, next, err := r.s.Certificates(ctx, alice.Account, vpn.CertificateFilter{Page: vpn.Page{Limit: 1}})
		must(t, err)
		second, end, err := r.s.Certificates(ctx, alice.Account, vpn.CertificateFilter{Page: vpn.Page{Limit: 1, Cursor: next}})
		must(t, err)
		if len(first) != 1 || len(second) != 1 || first[0].ID == second[0].ID || end != "" {
			t.Errorf("got pages %v, %v, then %q", first, second, end)
		}
		only, _, err := r.s.Certificates(ctx, alice.Account, vpn.CertificateFilter{Kind: vpn.CertificateClientCA})
		if err != nil || len(only) != 1 || only[0].ID != two.ID {
			t.Errorf("of one type: got %v, %v", only, err)
		}
		if _, err := r.s.UpdateCertificate(ctx, alice, c.ID, c.Version+1, called("three")); !errors.Is(err, vpn.ErrStale) {
			t.Errorf("a stale version: got %v", err)
		}
		if _, err := r.s.UpdateCertificate(ctx, alice, c.ID, c.Version, called("two")); !errors.Is(err, vpn.ErrNameDuplicate) {
			t.Errorf("a name that is taken: got %v", err)
		}
		renamed, err := r.s.UpdateCertificate(ctx, alice, c.ID, c.Version, called("three"))
		if err != nil || renamed.Name != "three" || renamed.Version != c.Version+1 {
			t.Errorf("got %+v, %v", renamed, err)
		}
		r.foreign(t, c.ID)
		must(t, r.s.DeleteCertificate(ctx, alice, c.ID))
		must(t, r.queue.Drain(ctx))
		if _, err := r.s.Certificate(ctx, alice.Account, c.ID); !errs.IsNotFound(err) {
			t.Errorf("after its end: got %v", err)
		}
	})
}

// foreign tries everything that has an id as another account.
func (r rig) foreign(t *testing.T, id string) {
	t.Helper()
	_, read := r.s.Certificate(ctx, mallo.Account, id)
	_, renamed := r.s.UpdateCertificate(ctx, mallo, id, 0, called("mine"))
	_, loaded := r.s.DownloadCertificate(ctx, mallo.Account, id, vpn.FormPEM)
	_, revoked := r.s.RevokeCertificate(ctx, mallo, id)
	for _, err := range []error{read, renamed, loaded, revoked, r.s.DeleteCertificate(ctx, mallo, id)} {
		if !errors.Is(err, vpn.ErrCertificateNotFound) {
			t.Errorf("another account: got %v", err)
		}
	}
	if all, _, err := r.s.Certificates(ctx, mallo.Account, vpn.CertificateFilter{}); err != nil || len(all) != 0 {
		t.Errorf("another account sees %v, %v", all, err)
	}
}

func TestOneUploadForOneKeyOfTheRequest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		root, other := issue(t, nil, nil, asCA("Root")), issue(t, nil, nil, asCA("Other"))
		in := vpn.NewCertificate{Key: "k1", Name: "one", Kind: vpn.CertificateClientCA, Certificate: text(root)}
		a, err := r.s.UploadCertificate(ctx, alice, in)
		must(t, err)
		b, err := r.s.UploadCertificate(ctx, alice, in)
		if err != nil || a.ID != b.ID {
			t.Errorf("got %s and %s, %v", a.ID, b.ID, err)
		}
		in.Certificate = text(other)
		if _, err := r.s.UploadCertificate(ctx, alice, in); errs.KindOf(err) != errs.Conflict {
			t.Errorf("another certificate under the key: got %v", err)
		}
	})
}

func TestDownloadsHoldNoKey(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, r rig) {
		root := issue(t, nil, nil, asCA("Root"))
		middle := issue(t, root, nil, asCA("Middle"))
		leaf := issue(t, middle, nil, nil)
		c := r.upload(t, "one", leaf, middle, root)
		all, err := r.s.DownloadCertificate(ctx, alice.Account, c.ID, vpn.FormPEM)
		if err != nil || !bytes.Equal(all.Data, text(leaf, middle, root)) || all.Name != "one.pem" {
			t.Errorf("PEM: got %s, %v", all.Data, err)
		}
		one, err := r.s.DownloadCertificate(ctx, alice.Account, c.ID, vpn.FormDER)
		if err != nil || !bytes.Equal(one.Data, leaf.Raw) || one.Type != "application/pkix-cert" {
			t.Errorf("DER: got %d bytes of %s, %v", len(one.Data), one.Type, err)
		}
		packed, err := r.s.DownloadCertificate(ctx, alice.Account, c.ID, vpn.FormZIP)
		must(t, err)
		files := unzip(t, vpn.Bundle{ZIP: packed.Data})
		if !bytes.Equal(files["ca.pem"], text(root)) || !bytes.Equal(files["certificate.pem"], text(leaf)) || !bytes.Equal(files["chain.pem"], text(middle, root)) || len(files) != 3 {
			t.Errorf("ZIP: got %v", files)
		}
		z, err := zip.NewReader(bytes.NewReader(packed.Data), int64(len(packed.Data)))
		must(t, err)
		for _, f := range z.File {
			in, err := f.Open()
			must(t, err)
			b, err := io.ReadAll(in)
			if err != nil || bytes.Contains(b, []byte("PRIVATE")) {
				t.Errorf("%s holds a key, or %v", f.Name, err)
			}
		}
	})
}

func TestAtMostAHundredUploads(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbOf(t))
	root := issue(t, nil, nil, asCA("Root"))
	for i := range vpn.CertificateQuota {
		r.uploadCA(t, fmt.Sprintf("ca-%d", i), root)
	}
	_, err := r.s.UploadCertificate(ctx, alice, vpn.NewCertificate{Name: "one-more", Kind: vpn.CertificateClientCA, Certificate: text(root)})
	if !errors.Is(err, vpn.ErrQuota) {
		t.Errorf("got %v", err)
	}
}

func dbOf(t *testing.T) *db.DB {
	t.Helper()
	return dbtest.SQLite(t, sets...)
}

func called(name string) vpn.CertificateChange { return vpn.CertificateChange{Name: &name} }
