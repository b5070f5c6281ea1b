package vpn

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	profile "github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// Policies tells which client policy is in force, with its texts, which
// skyconnect shows before it sends anything (clause TY-0a). The module consent
// fills it, in internal/app.
type Policies interface {
	ClientPolicy(ctx context.Context) (profile.Policy, error)
}

// bundleSecret is the Ed25519 seed that signs profiles for skyconnect.
const bundleSecret = "bundle/1"

// connectFile is the name of skyconnect's file in a bundle.
const connectFile = "profile" + profile.Extension

// ConnectLink is a client's profile as a link, for a QR code.
type ConnectLink struct {
	Link   string // skyconnect://import#…; no key is in it
	Signer string // id of the key that signed, for comparing by telephone
	QR     bool   // it fits into a code
}

// ConnectLink makes the link of a client's profile. The private key is not in it:
// a code on a screen is photographed too easily; the bundle's file has it.
func (s *Service) ConnectLink(ctx context.Context, owner account.ID, client string) (ConnectLink, error) {
	c, err := clientFor(ctx, s.db, owner, client)
	if err != nil {
		return ConnectLink{}, err
	}
	b, err := s.plainBundle(ctx, c)
	if err != nil {
		return ConnectLink{}, err
	}
	p, err := s.connectProfile(ctx, b)
	if err != nil {
		return ConnectLink{}, err
	}
	if len(p.Pins) > 0 {
		p.CA = "" // the pin says more, and is shorter
	}
	signed, err := s.signBundle(ctx, profile.Bundle{Version: profile.Version, Profile: p})
	if err != nil {
		return ConnectLink{}, err
	}
	signer, err := signed.Verify()
	if err != nil {
		return ConnectLink{}, err
	}
	link, err := signed.Link()
	return ConnectLink{link, signer, len(link) <= profile.MaxQR}, err
}

// connectEntry is skyconnect's file of a bundle, with the key where b has it.
func (s *Service) connectEntry(ctx context.Context, b bundle) ([]byte, error) {
	p, err := s.connectProfile(ctx, b)
	if err != nil {
		return nil, err
	}
	out := profile.Bundle{Version: profile.Version, Profile: p}
	if len(b.key) > 0 && !b.foreign() {
		out.Key = &profile.Key{PKCS8: string(pemOf("PRIVATE KEY", b.key))}
	}
	signed, err := s.signBundle(ctx, out)
	if err != nil {
		return nil, err
	}
	return signed.Marshal()
}

// connectProfile is what skyconnect is told of a client's VPN.
func (s *Service) connectProfile(ctx context.Context, b bundle) (profile.Profile, error) {
	p := profile.Profile{
		Name:    b.server.Name,
		Server:  net.JoinHostPort(b.server.ServerNames[0], strconv.Itoa(b.server.Port)),
		Options: profile.Options{DTLS: b.server.UDP, Token: b.token(), KeepSeed: b.server.KeepSeed, TrustedNetworks: b.server.ClientNetworks},
	}
	if b.server.LoginMode.wantsPassword() {
		p.Account = b.client.Name
	}
	if b.server.PinSHA256 != "" {
		p.Pins = []string{b.server.PinSHA256}
	}
	if root := b.root(); root != nil {
		p.CA = string(pemOf("CERTIFICATE", root))
	}
	if !b.foreign() {
		p.Certificate = string(pemOf("CERTIFICATE", b.client.Certificate))
	}
	if strings.HasPrefix(s.config.URL, "https://") {
		p.Links = profile.Links{Console: s.config.URL, Rights: b.rights}
		if err := s.linkReleases(&p.Links); err != nil {
			return profile.Profile{}, err
		}
	}
	if s.policies == nil {
		return p, nil
	}
	policy, err := s.policies.ClientPolicy(ctx)
	if err != nil {
		return profile.Profile{}, fmt.Errorf("reading the client policy: %w", err)
	}
	p.Policy = &policy
	return p, nil
}

// linkReleases says where newer clients are, and by which keys they are known.
func (s *Service) linkReleases(l *profile.Links) error {
	if s.config.Releases == nil {
		return nil
	}
	path, root, err := s.config.Releases()
	if err != nil {
		return fmt.Errorf("reading the keys of releases: %w", err)
	}
	if root != "" {
		l.Update, l.UpdateRoot = s.config.URL+path, root
	}
	return nil
}

// token is what makes the codes of the client's second factor.
func (b bundle) token() profile.Token {
	if !b.server.TwoFactor || b.client.TwoFactorExempt {
		return profile.TokenNone
	}
	return profile.Token(b.client.Token)
}

func (s *Service) signBundle(ctx context.Context, b profile.Bundle) (profile.Bundle, error) {
	k, err := s.systemSecret(ctx, bundleSecret, func() ([]byte, []byte, error) {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, nil, fmt.Errorf("making a key for bundles: %w", err)
		}
		return private.Seed(), public, nil
	})
	if err != nil {
		return b, err
	}
	if len(k.private) != ed25519.SeedSize {
		return b, fmt.Errorf("the key of bundles has %d bytes", len(k.private))
	}
	return b.Sign(ed25519.NewKeyFromSeed(k.private))
}
