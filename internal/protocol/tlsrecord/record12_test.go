package tlsrecord

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
)

// A vector of the PRF of TLS 1.2 that the TLS working group's list has settled
// on, since RFC 5246 has none.
func TestPRF(t *testing.T) {
	t.Parallel()
	got := prf(sha256.New, unhex(t, "9bbe436ba940f017b17652849a71db35"), "test label", unhex(t, "a0ba9f936cda311827a6f796ffd5198c"), 100)
	want := unhex(t, "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66")
	if !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// keys12 are both ends of a connection of TLS 1.2.
func keys12(t *testing.T, suite uint16) (clientIn *Opener, clientOut *Sealer, serverIn *Opener, serverOut *Sealer) {
	t.Helper()
	keys := func() (*Opener, *Sealer) {
		l := &KeyLog{}
		_, _ = fmt.Fprintf(l, "CLIENT_RANDOM %064x %096x\n", 1, 2)
		in, out, err := l.Keys12(suite, [32]byte{3}, true)
		if err != nil {
			t.Fatal(err)
		}
		if l.master != nil {
			t.Error("the secret was kept")
		}
		return in, out
	}
	serverIn, serverOut = keys()
	in, out := keys()
	return &Opener{direction: out.direction}, &Sealer{in.direction}, serverIn, serverOut
}

func TestRecordsOfTLS12(t *testing.T) {
	t.Parallel()
	for suite := range suites12 {
		clientIn, clientOut, serverIn, serverOut := keys12(t, suite)
		for i := range 3 {
			data := bytes.Repeat([]byte{byte(i)}, 1000*i+1)
			rec := clientOut.Seal(nil, TypeApplicationData, data)
			if got, err := serverIn.Open([]byte("before "), rec); err != nil || string(got) != "before "+string(data) {
				t.Fatalf("%s: got %d bytes, %v", tls.CipherSuiteName(suite), len(got), err)
			}
			if got, err := clientIn.Open(nil, serverOut.Seal(nil, TypeApplicationData, data)); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("%s, the way back: got %d bytes, %v", tls.CipherSuiteName(suite), len(got), err)
			}
			if _, err := serverIn.Open(nil, rec); !errors.Is(err, AlertError(AlertBadRecordMAC)) {
				t.Errorf("%s: the same record again: got %v", tls.CipherSuiteName(suite), err)
			}
			serverIn.seq--
		}
	}
}

func TestWhatOpenRefusesInTLS12(t *testing.T) {
	t.Parallel()
	type content struct {
		typ  byte
		data []byte
	}
	for name, c := range map[string]struct {
		records []content
		want    error
	}{
		"closing":                {[]content{{TypeAlert, []byte{levelWarning, AlertCloseNotify}}}, io.EOF},
		"a warning":              {[]content{{TypeAlert, []byte{levelWarning, 100}}}, nil},
		"warnings without end":   {slices.Repeat([]content{{TypeAlert, []byte{levelWarning, 100}}}, maxIdle+1), AlertError(AlertUnexpectedMessage)},
		"a fatal alert":          {[]content{{TypeAlert, []byte{2, 40}}}, ErrPeer},
		"half an alert":          {[]content{{TypeAlert, []byte{1}}}, AlertError(AlertDecodeError)},
		"a hello: renegotiation": {[]content{{TypeHandshake, []byte{1, 0, 0, 0}}}, AlertError(AlertUnexpectedMessage)},
		"a change of cipher":     {[]content{{20, []byte{1}}}, AlertError(AlertUnexpectedMessage)},
		"empty data":             {slices.Repeat([]content{{TypeApplicationData, nil}}, maxIdle), nil},
		"empty data without end": {slices.Repeat([]content{{TypeApplicationData, nil}}, maxIdle+1), AlertError(AlertUnexpectedMessage)},
	} {
		_, clientOut, serverIn, _ := keys12(t, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
		var err error
		for i, r := range c.records {
			if err != nil {
				t.Fatalf("%s: record %d: %v", name, i-1, err)
			}
			_, err = serverIn.Open(nil, clientOut.Seal(nil, r.typ, r.data))
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestBytesThatAreNoRecordOfTLS12(t *testing.T) {
	t.Parallel()
	_, out, in, _ := keys12(t, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)
	good := out.Seal(nil, TypeApplicationData, []byte("good"))
	changed := func(i int) []byte {
		b := bytes.Clone(good)
		b[i] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		record []byte
		want   AlertError
	}{
		"nothing":      {nil, AlertUnexpectedMessage},
		"too short":    {good[:HeaderLen+8+tagLen-1], AlertUnexpectedMessage},
		"another type": {changed(0), AlertBadRecordMAC},
		"the nonce":    {changed(HeaderLen + 7), AlertBadRecordMAC},
		"the content":  {changed(HeaderLen + 8), AlertBadRecordMAC},
		"the tag":      {changed(len(good) - 1), AlertBadRecordMAC},
		"too long":     {make([]byte, MaxRecord+1), AlertRecordOverflow},
	} {
		in.seq = 1
		if got, err := in.Open(nil, c.record); !errors.Is(err, c.want) || len(got) > 0 {
			t.Errorf("%s: got %q, %v, want %v", name, got, err, c.want)
		}
	}
	in.seq = 1
	if got, err := in.Open(nil, good); err != nil || string(got) != "good" {
		t.Errorf("the good one: got %q, %v", got, err)
	}
}

func TestKeysOfTLS12NeedSecrets(t *testing.T) {
	t.Parallel()
	if _, _, err := (&KeyLog{}).Keys12(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, [32]byte{}, true); !errors.Is(err, ErrSecrets) {
		t.Errorf("without secrets: got %v", err)
	}
	if _, _, err := (&KeyLog{}).Keys12(tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, [32]byte{}, true); !errors.Is(err, ErrSuite) {
		t.Errorf("a suite with CBC: got %v", err)
	}
}
