package envelope

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

var format = Format{Name: "skybridge-test", Version: 1}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryByteAndEveryLengthCount(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	public, err := format.NewKey(file)
	must(t, err)
	private, err := format.ReadPrivateKey(file)
	must(t, err)
	for _, size := range []int{0, 1, chunkSize, 2*chunkSize + 5} {
		plain := bytes.Repeat([]byte{'x'}, size)
		var out bytes.Buffer
		s, err := format.Seal(&out, public, "c")
		must(t, err)
		_, err = s.Write(plain)
		must(t, errors.Join(err, s.Close()))
		whole := out.Bytes()
		read := func(b []byte, context string) ([]byte, error) {
			o, err := format.Open(bytes.NewReader(b), private, context)
			if err != nil {
				return nil, err
			}
			return io.ReadAll(o)
		}
		if got, err := read(whole, "c"); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes: got %d, %v", size, len(got), err)
		}
		if _, err := read(whole, "d"); !errors.Is(err, ErrKey) {
			t.Errorf("another context: got %v", err)
		}
		for at := 0; at < len(whole); at += 1 + len(whole)/300 {
			bad := bytes.Clone(whole)
			bad[at] ^= 0x10
			if _, err := read(bad, "c"); err == nil {
				t.Errorf("%d bytes: byte %d altered is not noticed", size, at)
			}
			if _, err := read(whole[:at], "c"); err == nil {
				t.Errorf("%d bytes: a cut to %d is not noticed", size, at)
			}
		}
		if _, err := read(append(bytes.Clone(whole), 0), "c"); err == nil {
			t.Errorf("%d bytes: a byte more is not noticed", size)
		}
	}
}

func TestKeysAreReadFromTheirOwnFilesOnly(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	public, err := format.NewKey(file)
	must(t, err)
	if again, err := format.ReadPublicKey(file + ".pub"); err != nil || again.Fingerprint() != public.Fingerprint() {
		t.Errorf("got %v, %v", again, err)
	}
	if _, err := format.ReadPublicKey(file); !errors.Is(err, ErrKey) {
		t.Errorf("the private half as the public one: got %v", err)
	}
	if _, err := format.ReadPrivateKey(file + ".pub"); !errors.Is(err, ErrKey) {
		t.Errorf("the public half as the private one: got %v", err)
	}
	if _, err := format.NewKey(file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key over another: got %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v, want mode 0600", info.Mode(), err)
	}
}
