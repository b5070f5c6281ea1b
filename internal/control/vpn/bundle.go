package vpn

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/password"
	"github.com/skybridge-cloud/skybridge/internal/platform/vault"
)

// Bundle is what an SSL client's user gets: a ZIP file.
type Bundle struct {
	Name string // file name
	ZIP  []byte
}

// Bundle packs what a client needs to connect: CA, certificate, profile and
// instructions, and, while generated secrets may be read, the private key as
// PEM and PKCS #12. The login password is not in it. Reading the key is
// recorded. Where the server trusts CAs of the customer's own for clients,
// certificate and key are left out: they would open nothing.
func (s *Service) Bundle(ctx context.Context, p account.Principal, client string) (Bundle, error) {
	c, err := clientFor(ctx, s.db, p.Account, client)
	if err != nil {
		return Bundle{}, err
	}
	out, err := s.bundleOf(ctx, readerOf(p), c)
	if err != nil {
		return Bundle{}, err
	}
	_, err = s.recordRead(ctx, p, c, false)
	return out, err
}

// bundleOf is a client's bundle; whoever hands it out records that first.
func (s *Service) bundleOf(ctx context.Context, by vault.Reader, c SSLClient) (Bundle, error) {
	b, err := s.plainBundle(ctx, c)
	if err != nil {
		return Bundle{}, err
	}
	if s.clock.Now().Before(c.Readable.Key) {
		plain, err := s.open(ctx, by, c, "key_sealed")
		if err != nil {
			return Bundle{}, err
		}
		b.key = plain["key_sealed"]
	}
	if b.connect, err = s.connectEntry(ctx, b); err != nil {
		return Bundle{}, err
	}
	packed, err := b.pack()
	return Bundle{Name: c.Name + ".zip", ZIP: packed}, err
}

// plainBundle is a client's bundle without what is secret.
func (s *Service) plainBundle(ctx context.Context, c SSLClient) (bundle, error) {
	srv, err := s.Server(ctx, c.Account, c.Server)
	if err != nil {
		return bundle{}, err
	}
	at, err := s.addresses(ctx, c.Gateway)
	if err != nil {
		return bundle{}, err
	}
	b := bundle{server: srv, client: c, addresses: at}
	if s.config.URL != "" {
		b.rights = s.config.URL + UserPath + "?server=" + srv.ServerNames[0]
	}
	return b, nil
}

type bundle struct {
	server    SSLServer
	client    SSLClient
	addresses []netip.Addr
	rights    string // address of the page of the user's rights; empty where it is not known
	key       []byte // PKCS #8; empty when it may not be read
	connect   []byte // skyconnect's file
}

type entry struct {
	name string
	data []byte
}

func (b bundle) pack() ([]byte, error) {
	var entries []entry
	if root := b.root(); root != nil {
		entries = append(entries, entry{"ca.pem", pemOf("CERTIFICATE", root)})
	}
	if !b.foreign() {
		entries = append(entries, entry{"client.pem", pemOf("CERTIFICATE", b.client.Certificate)})
	}
	secret := ""
	if len(b.key) > 0 && !b.foreign() {
		secret = password.Generate(16)
		p12, err := b.pkcs12(secret)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{"key.pem", pemOf("PRIVATE KEY", b.key)}, entry{"client.p12", p12})
	}
	profile, err := b.profile()
	if err != nil {
		return nil, err
	}
	entries = append(entries, entry{"profile.xml", profile}, entry{"README.txt", []byte(b.readme(secret))})
	return zipped(append(entries, entry{connectFile, b.connect}))
}

// foreign tells that clients sign in with certificates of the customer's CAs.
func (b bundle) foreign() bool { return len(b.server.ClientCAs) > 0 }

// root is the CA of what the server shows. Of an uploaded certificate it may
// be missing: the client's system then knows it, or nobody does.
func (b bundle) root() []byte {
	if b.server.CertID == "" {
		return b.server.CA
	}
	if n := len(b.server.Uploaded); n > 0 && selfIssued(b.server.Uploaded[n-1]) {
		return b.server.Uploaded[n-1]
	}
	return nil
}

func zipped(entries []entry) ([]byte, error) {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(0o600)
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, fmt.Errorf("packing %s: %w", e.name, err)
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, fmt.Errorf("packing %s: %w", e.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("packing: %w", err)
	}
	return buf.Bytes(), nil
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func (b bundle) pkcs12(secret string) ([]byte, error) {
	key, err := x509.ParsePKCS8PrivateKey(b.key)
	if err != nil {
		return nil, fmt.Errorf("reading the key of %s: %w", b.client.ID, err)
	}
	leaf, err := x509.ParseCertificate(b.client.Certificate)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of %s: %w", b.client.ID, err)
	}
	ca, err := x509.ParseCertificate(b.server.CA)
	if err != nil {
		return nil, fmt.Errorf("reading the CA of %s: %w", b.server.ID, err)
	}
	return pkcs12.Modern.Encode(key, leaf, []*x509.Certificate{ca}, secret)
}

// anyConnectProfile is the profile in the form that AnyConnect-type clients read.
type anyConnectProfile struct {
	XMLName xml.Name    `xml:"AnyConnectProfile"`
	NS      string      `xml:"xmlns,attr"`
	Hosts   []hostEntry `xml:"ServerList>HostEntry"`
}

type hostEntry struct {
	Name    string `xml:"HostName"`
	Address string `xml:"HostAddress"`
}

func (b bundle) profile() ([]byte, error) {
	p := anyConnectProfile{NS: "http://schemas.xmlsoap.org/encoding/", Hosts: []hostEntry{{b.server.Name, b.hostPort()}}}
	out, err := xml.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the profile: %w", err)
	}
	return append([]byte(xml.Header), append(out, '\n')...), nil
}

func (b bundle) hostPort() string {
	if b.server.Port == 443 {
		return b.server.ServerNames[0]
	}
	return net.JoinHostPort(b.server.ServerNames[0], strconv.Itoa(b.server.Port))
}

// Command is how stock openconnect connects, from the bundle's directory. With
// an address known, --resolve makes it work before the name is in the DNS.
func (b bundle) command() string {
	words := []string{"openconnect", "--protocol=anyconnect"}
	if b.server.LoginMode.wantsPassword() {
		words = append(words, "--user="+b.client.Name)
	}
	if b.server.LoginMode.wantsCertificate() || len(b.key) > 0 && !b.foreign() {
		words = append(words, "--certificate=client.pem", "--sslkey=key.pem")
	}
	if b.root() != nil {
		words = append(words, "--cafile=ca.pem")
	}
	if b.server.PinSHA256 != "" {
		words = append(words, "--servercert="+b.server.PinSHA256)
	}
	if len(b.addresses) > 0 {
		words = append(words, "--resolve="+b.server.ServerNames[0]+":"+b.addresses[0].String())
	}
	return strings.Join(append(words, "https://"+b.hostPort()+"/"), " \\\n  ")
}

func (b bundle) readme(secret string) string {
	var t strings.Builder
	fmt.Fprintf(&t, "Skybridge SSL VPN\n\nServer:  %s (%s)\nAccount: %s\n", b.server.Name, b.hostPort(), b.client.Name)
	if b.server.PinSHA256 != "" {
		fmt.Fprintf(&t, "Server key: %s\n", b.server.PinSHA256)
	}
	if b.server.LoginMode.wantsPassword() {
		t.WriteString("\nThe login password is not in this file. Ask your administrator for it.\n")
	}
	if b.rights != "" {
		fmt.Fprintf(&t, "\nYour data and rights, without your administrator:\n%s\n", b.rights)
	}
	fmt.Fprintf(&t, "\nConnect with skyconnect: open %s with it, or run\n\nskyconnect profiles import %s\n", connectFile, connectFile)
	fmt.Fprintf(&t, "\nConnect with openconnect:\n\n%s\n", b.command())
	if b.server.TwoFactor && !b.client.TwoFactorExempt {
		mode := map[TokenKind]string{TokenTOTP: "totp", TokenStoken: "rsa"}[b.client.Token]
		fmt.Fprintf(&t, "\nFor unattended use with a software code: --token-mode=%s --token-secret=@FILE\n", mode)
	}
	if b.server.TwoFactor && !b.client.TwoFactorExempt && b.client.Token == TokenStoken && b.server.LoginMode.wantsPassword() {
		t.WriteString("openconnect then asks for the login password as the PIN of the token.\n")
	}
	if secret != "" {
		fmt.Fprintf(&t, "\nclient.p12 holds the certificate and its key for other clients; its import password is: %s\nKeep key.pem and client.p12 secret.\n", secret)
		return t.String()
	}
	if b.foreign() {
		t.WriteString("\nSign in with the certificate that your organisation gave you; put it and its key in the place of client.pem and key.pem.\n")
		return t.String()
	}
	t.WriteString("\nThe private key is not in this file: it was made elsewhere, or the time to fetch it is over.\n")
	return t.String()
}
