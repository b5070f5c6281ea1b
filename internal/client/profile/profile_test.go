package profile_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/skybridge-cloud/skybridge/internal/client/local"
	"github.com/skybridge-cloud/skybridge/internal/client/profile"
	"github.com/skybridge-cloud/skybridge/internal/platform/bundle"
	"github.com/skybridge-cloud/skybridge/internal/platform/clock"
)

type keys struct {
	mu   sync.Mutex
	held map[string]string
	fail error
}

func (k *keys) SetPrivateKey(profile string, pkcs8 []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail == nil {
		k.held[profile] = string(pkcs8)
	}
	return k.fail
}

func (k *keys) Forget(profile string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.held, profile)
	return k.fail
}

type rig struct {
	*profile.Store
	dir  *local.Dir
	keys *keys
}

func newRig(t *testing.T) rig {
	t.Helper()
	dir, err := local.Open(filepath.Join(t.TempDir(), "skyconnect"))
	if err != nil {
		t.Fatal(err)
	}
	return rig{profile.New(dir, clock.NewFake(time.Unix(1.8e9, 0))), dir, &keys{held: map[string]string{}}}
}

func (r rig) imports(b bundle.Bundle, c profile.Confirm) (profile.Profile, error) {
	return r.Import(b, "", c, r.keys)
}

func plain(name string) bundle.Profile {
	return bundle.Profile{Name: name, Server: "vpn.example.org:443", Account: "zhang"}
}

func of(p bundle.Profile) bundle.Bundle { return bundle.Bundle{Version: bundle.Version, Profile: p} }

func signer(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signed(t *testing.T, b bundle.Bundle, key ed25519.PrivateKey) bundle.Bundle {
	t.Helper()
	b, err := b.Sign(key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func certified(t *testing.T) (certificate string, key bundle.Key, p12 bundle.Key) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	file, err := pkcs12.Modern.Encode(private, c, nil, "phrase")
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		bundle.Key{PKCS8: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))},
		bundle.Key{PKCS12: base64.StdEncoding.EncodeToString(file)}
}

func TestABrokenFileDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	good, err := r.Add(plain("good"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.dir.Read("profiles/"+good.ID+".json", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"prf_half.json":      string(text[:len(text)/2]),
		"prf_empty.json":     "",
		"prf_other.json":     string(text),
		"prf_unknown.json":   strings.Replace(string(text), `"account"`, `"password"`, 1),
		"prf_hostile.json":   strings.Replace(string(text), "vpn.example.org:443", "vpn.example.org:443\\r\\n", 1),
		"prf_ancient.json":   strings.Replace(string(text), `"version": 1`, `"version": 0`, 1),
		"prf_oversized.json": strings.Repeat(" ", bundle.MaxSize+1),
	} {
		if err := r.dir.Replace("profiles/"+name, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(r.dir.Root(), "profiles", "prf_link.json")); err != nil {
		t.Fatal(err)
	}
	all, broken, err := r.All()
	if err != nil || len(all) != 1 || !cmp.Equal(all[0], good) {
		t.Fatalf("got %v, %v, want the good one", all, err)
	}
	if len(broken) != 8 {
		t.Errorf("got %d errors, want 8: %v", len(broken), broken)
	}
	for _, err := range broken {
		if !strings.Contains(fmt.Sprint(err), "profile.broken") && !strings.Contains(fmt.Sprint(err), "local.") {
			t.Errorf("got %v", err)
		}
	}
	if p, err := r.Plan(of(bundle.Profile{Name: "n", Server: "new.example.org:443"})); err != nil || p.First {
		t.Errorf("got %+v, %v: what cannot be read may be of this server", p, err)
	}
}

func TestALaterBundleIsHeldToTheFirstSigner(t *testing.T) {
	t.Parallel()
	one, other := signer(t), signer(t)
	first := signed(t, of(plain("a")), one)
	changed := plain("a")
	changed.Options.DTLS = true
	otherID := bundle.KeyID(other.Public().(ed25519.PublicKey))
	cases := []struct {
		name    string
		next    bundle.Bundle
		confirm profile.Confirm
		want    error
	}{
		{"by the same key", signed(t, of(changed), one), profile.Confirm{}, nil},
		{"by another", signed(t, of(changed), other), profile.Confirm{}, profile.ErrSigner},
		{"by another, confirmed", signed(t, of(changed), other), profile.Confirm{Signer: otherID}, nil},
		{"by another, a third one confirmed", signed(t, of(changed), other), profile.Confirm{Signer: strings.Repeat("0", 40)}, profile.ErrSigner},
		{"by another, unsigned confirmed", signed(t, of(changed), other), profile.Confirm{Unsigned: true}, profile.ErrSigner},
		{"by nobody", of(changed), profile.Confirm{}, profile.ErrSigner},
		{"by nobody, confirmed", of(changed), profile.Confirm{Unsigned: true}, nil},
		{"changed on the way", func() bundle.Bundle {
			b := signed(t, of(changed), one)
			b.Profile.Server = "x.example.org:443"
			return b
		}(), profile.Confirm{}, bundle.ErrSignature},
	}
	for _, c := range cases {
		r := newRig(t)
		was, err := r.imports(first, profile.Confirm{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.imports(c.next, c.confirm)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		now, findErr := r.Find("a")
		if findErr != nil || now.ID != was.ID || now.Options.DTLS != (c.want == nil) || err == nil && got.ID != was.ID {
			t.Errorf("%s: got %+v, %v", c.name, now, findErr)
		}
	}
}

func TestAnotherServersSignerIsItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if _, err := r.imports(signed(t, of(plain("a")), signer(t)), profile.Confirm{}); err != nil {
		t.Fatal(err)
	}
	p := plain("b")
	p.Server = "other.example.org:443"
	if _, err := r.imports(of(p), profile.Confirm{}); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestAKeyGoesToTheKeyStoreAndNowhereElse(t *testing.T) {
	t.Parallel()
	certificate, key, sealed := certified(t)
	foreign, _, _ := certified(t)
	cases := []struct {
		name        string
		certificate string
		key         bundle.Key
		phrase      string
		want        error
	}{
		{"of another certificate", foreign, key, "", bundle.ErrKey},
		{"without a certificate", "", key, "", profile.ErrNoKey},
		{"sealed, without a passphrase", "", sealed, "", bundle.ErrPhrase},
		{"its own", certificate, key, "", nil},
		{"sealed, with its certificate inside", "", sealed, "phrase", nil},
	}
	for _, c := range cases {
		r := newRig(t)
		b := of(plain("a"))
		b.Profile.Certificate, b.Key = c.certificate, &c.key
		p, err := r.Import(b, c.phrase, profile.Confirm{}, r.keys)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		if all, _, _ := r.All(); len(all) != len(r.keys.held) {
			t.Errorf("%s: %d profiles and %d keys", c.name, len(all), len(r.keys.held))
		}
		if c.want != nil {
			continue
		}
		text, err := r.dir.Read("profiles/"+p.ID+".json", 1<<20)
		if err != nil || strings.Contains(string(text), "PRIVATE") || !strings.Contains(p.Certificate, "BEGIN CERTIFICATE") {
			t.Errorf("%s: %v, the file is %s", c.name, err, text)
		}
		if err := r.Delete("a", r.keys); err != nil || len(r.keys.held) != 0 {
			t.Errorf("%s: deleted: %v, left %d keys", c.name, err, len(r.keys.held))
		}
	}
}

func TestALockedKeyStoreLeavesNothingHalf(t *testing.T) {
	t.Parallel()
	certificate, key, _ := certified(t)
	r := newRig(t)
	r.keys.fail = errors.New("locked")
	b := of(plain("a"))
	b.Profile.Certificate, b.Key = certificate, &key
	if _, err := r.imports(b, profile.Confirm{}); !errors.Is(err, r.keys.fail) {
		t.Errorf("got %v", err)
	}
	if all, _, _ := r.All(); len(all) != 0 {
		t.Error("a profile whose key is nowhere")
	}
	r.keys.fail = nil
	if _, err := r.imports(b, profile.Confirm{}); err != nil {
		t.Fatal(err)
	}
	r.keys.fail = errors.New("locked")
	if err := r.Delete("a", r.keys); !errors.Is(err, r.keys.fail) {
		t.Errorf("deleting: got %v", err)
	}
	if _, err := r.Find("a"); err != nil {
		t.Error("the profile went and its key is left")
	}
}

func TestThePersonsOptionsStayAndTheOperatorsHold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	key := signer(t)
	b := plain("a")
	b.Options = bundle.Options{DTLS: true, Token: bundle.TokenTOTP}
	if _, err := r.imports(signed(t, of(b), key), profile.Confirm{}); err != nil {
		t.Fatal(err)
	}
	got, err := r.Change("a", func(p *bundle.Profile) { p.Name, p.Options = "mine", bundle.Options{KillSwitch: true, KeepSeed: true} })
	if err != nil || got.Options.KeepSeed || got.Options.Token != bundle.TokenTOTP {
		t.Errorf("got %+v, %v: whether a seed is kept is the operator's to say", got.Options, err)
	}
	b.Options.KeepSeed, b.Pins = true, []string{"pin-sha256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}
	got, err = r.imports(signed(t, of(b), key), profile.Confirm{})
	want := bundle.Options{KillSwitch: true, KeepSeed: true, Token: bundle.TokenTOTP}
	if err != nil || got.Name != "mine" || !cmp.Equal(got.Options, want) || len(got.Pins) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := r.Change("mine", func(p *bundle.Profile) { p.Server = "nowhere" }); !errors.Is(err, bundle.ErrField) {
		t.Errorf("a server that is none: got %v", err)
	}
}

func TestNamesAreTakenOnceByManyProcesses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 16 {
		wg.Go(func() {
			_, err := profile.New(r.dir, clock.System{}).Add(plain("one"))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !errors.Is(err, profile.ErrName):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if all, _, err := r.All(); won != 1 || len(all) != 1 || err != nil {
		t.Errorf("%d won and %d are there, %v", won, len(all), err)
	}
	for i := range profile.Most - 1 {
		if _, err := r.Add(plain(fmt.Sprint("p", i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Add(plain("more")); !errors.Is(err, profile.ErrMany) {
		t.Errorf("one too many: got %v", err)
	}
}

func TestWhatIsShownIsWhatIsStored(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	p, err := r.Add(plain("a"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.Find(p.ID); err != nil || !cmp.Equal(again, p) {
		t.Errorf("got %+v, %v, want %+v", again, err, p)
	}
	items, err := r.dir.Held(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		if i.Purpose == local.Unregistered {
			t.Errorf("%s is registered by nobody", i.Name)
		}
	}
	if _, err := r.Find("b"); !errors.Is(err, profile.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
