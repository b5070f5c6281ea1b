package profile

import (
	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
)

// Keys is the key store, as far as profiles need it.
type Keys interface {
	// SetPrivateKey keeps a PKCS #8 key for a profile.
	SetPrivateKey(profile string, pkcs8 []byte) error
	// Forget deletes all keys of a profile; none is no error.
	Forget(profile string) error
}

// Plan is what importing a bundle would do, for the person to look at before.
type Plan struct {
	Bundle bundle.Bundle
	Signer string   // id of the key that signed; empty: nobody did
	Known  string   // id of the key that signed former bundles of the server
	First  bool     // nothing is known of the server
	Former *Profile // the profile that it takes the place of, nil for a new one
}

// Confirm says what the person confirmed. The zero value is for what needs no
// question.
type Confirm struct {
	Signer   string // id of the new key, as Plan.Signer showed it
	Unsigned bool   // that nobody signed, of a server whose bundles were signed
}

// Trusted tells whether Import goes on without a question about the signer: the
// first bundle of a server is shown, later ones are held to it.
func (p Plan) Trusted() bool { return p.First || p.Signer == p.Known }

func (p Plan) confirmed(c Confirm) bool {
	if p.Trusted() {
		return true
	}
	if p.Signer == "" {
		return c.Unsigned
	}
	return c.Signer == p.Signer
}

// Plan checks a bundle's signature and looks what is known of its server.
func (s *Store) Plan(b bundle.Bundle) (Plan, error) {
	p, _, err := s.plan(b)
	return p, err
}

func (s *Store) plan(b bundle.Bundle) (Plan, []Profile, error) {
	signer, err := b.Verify()
	if err != nil {
		return Plan{}, nil, err
	}
	all, broken, err := s.All()
	if err != nil {
		return Plan{}, nil, err
	}
	// A file that cannot be read may be this server's: then it is not the first.
	out := Plan{Bundle: b, Signer: signer, First: len(broken) == 0}
	for i, p := range all {
		if p.Server != b.Profile.Server {
			continue
		}
		out.First = false
		if p.Signer != "" {
			out.Known = p.Signer
		}
		if p.Account == b.Profile.Account && p.Group == b.Profile.Group {
			out.Former = &all[i]
		}
	}
	return out, all, nil
}

// Import stores a bundle's profile, in the place of the former one of the same
// server, account and group, and its key in keys. The person's own options stay.
// ErrSigner asks for a confirmation; a key that is not that of the certificate is
// bundle.ErrKey, one that its passphrase does not open bundle.ErrPhrase.
func (s *Store) Import(b bundle.Bundle, passphrase string, c Confirm, keys Keys) (Profile, error) {
	key, err := open(b, passphrase)
	if err != nil {
		return Profile{}, err
	}
	unlock, err := s.dir.Lock(local.Profiles)
	if err != nil {
		return Profile{}, err
	}
	defer unlock()
	pl, all, err := s.plan(b)
	if err != nil {
		return Profile{}, err
	}
	if !pl.confirmed(c) {
		return Profile{}, ErrSigner.With("known", orNobody(pl.Known)).With("new", orNobody(pl.Signer))
	}
	p := s.merged(pl)
	p.Certificate = key.certificate
	if pl.Former == nil && len(all) >= Most {
		return Profile{}, ErrMany.With("limit", Most)
	}
	if taken(all, p.Name, p.ID) {
		return Profile{}, ErrName.With("name", p.Name)
	}
	if key.pkcs8 != nil {
		// Before the profile: a profile never names a key that is not there.
		if err := keys.SetPrivateKey(p.ID, key.pkcs8); err != nil {
			return Profile{}, err
		}
	}
	return p, s.writeLocked(p)
}

func (s *Store) merged(pl Plan) Profile {
	now := s.clock.Now()
	p := Profile{ID: newID(), Profile: pl.Bundle.Profile, Signer: pl.Signer, Imported: now, Changed: now}
	if pl.Former == nil {
		return p
	}
	p.ID, p.Own = pl.Former.ID, pl.Former.Own
	if p.Own {
		p.Name, p.Options = pl.Former.Name, own(pl.Former.Options, p.Options)
	}
	return p
}

// own are the person's options with what the operator alone says.
func own(person, operator bundle.Options) bundle.Options {
	person.Token, person.KeepSeed = operator.Token, operator.KeepSeed
	return person
}

func orNobody(key string) string {
	if key == "" {
		return "–"
	}
	return key
}
