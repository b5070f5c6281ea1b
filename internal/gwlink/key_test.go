package gwlink_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/gwlink"
)

func TestAKeyIsForOneRequestOnly(t *testing.T) {
	t.Parallel()
	key := []byte("a private key, PKCS #8")
	x, err := gwlink.NewKeyExchange("sslsrv-1", "cert-1")
	if err != nil {
		t.Fatal(err)
	}
	a, err := gwlink.WrapKey(x.Request, key)
	if err != nil || bytes.Contains(a.Sealed, key) {
		t.Fatalf("got %q, %v", a.Sealed, err)
	}
	if got, err := x.Open(a); err != nil || !bytes.Equal(got, key) {
		t.Errorf("got %q, %v, want the key", got, err)
	}
	other, err := gwlink.NewKeyExchange("sslsrv-1", "cert-1")
	if err != nil {
		t.Fatal(err)
	}
	moved := x
	moved.Request.Certificate = "cert-2"
	altered := gwlink.KeyAnswer{Sealed: bytes.Clone(a.Sealed)}
	altered.Sealed[len(altered.Sealed)-1] ^= 1
	for what, open := range map[string]func() ([]byte, error){
		"another request":     func() ([]byte, error) { return other.Open(a) },
		"another certificate": func() ([]byte, error) { return moved.Open(a) },
		"an altered answer":   func() ([]byte, error) { return x.Open(altered) },
		"an empty answer":     func() ([]byte, error) { return x.Open(gwlink.KeyAnswer{}) },
	} {
		if got, err := open(); !errors.Is(err, gwlink.ErrKey) {
			t.Errorf("%s: got %q, %v, want ErrKey", what, got, err)
		}
	}
	for _, public := range [][]byte{nil, make([]byte, 31), make([]byte, 32)} { // the last is of low order
		if _, err := gwlink.WrapKey(gwlink.KeyRequest{Public: public}, key); !errors.Is(err, gwlink.ErrKey) {
			t.Errorf("to %d zeros: got %v, want ErrKey", len(public), err)
		}
	}
}

// FuzzKeyExchange gives both ends what the other may have made of it: a request
// and an answer that are none of ours open nothing, and no other error comes.
func FuzzKeyExchange(f *testing.F) {
	x, err := gwlink.NewKeyExchange("sslsrv-1", "cert-1")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(x.Request.Public, "sslsrv-1")
	f.Add([]byte{}, "")
	f.Add(make([]byte, 32), "sslsrv-1") // a point of low order
	f.Fuzz(func(t *testing.T, b []byte, server string) {
		a, err := gwlink.WrapKey(gwlink.KeyRequest{Server: server, Certificate: "cert-1", Public: b}, []byte("a key"))
		if err != nil && !errors.Is(err, gwlink.ErrKey) {
			t.Errorf("wrapping: got %v, want ErrKey", err)
		}
		ours := err == nil && server == "sslsrv-1" && bytes.Equal(b, x.Request.Public)
		if key, err := x.Open(a); (err == nil) != ours || err == nil && string(key) != "a key" {
			t.Errorf("opening an answer: got %q, %v, ours %v", key, err, ours)
		}
		if _, err := x.Open(gwlink.KeyAnswer{Sealed: b}); !errors.Is(err, gwlink.ErrKey) {
			t.Errorf("opening nonsense: got %v, want ErrKey", err)
		}
	})
}
