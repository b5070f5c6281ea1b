package tlsrecord

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Secrets of RFC 8448, section 3.
const (
	rfcClient = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
	rfcServer = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"
)

// rfcKeys are both ends of the connection of RFC 8448.
func rfcKeys(t *testing.T) (clientIn *Opener, clientOut *Sealer, serverIn *Opener, serverOut *Sealer) {
	t.Helper()
	keys := func(server bool) (*Opener, *Sealer) {
		l := &KeyLog{}
		for _, line := range []string{
			"CLIENT_HANDSHAKE_TRAFFIC_SECRET 00 " + rfcServer + "\n",
			"CLIENT_TRAFFIC_SECRET_0 00 " + rfcClient + "\n",
			"SERVER_TRAFFIC_SECRET_0 00 " + rfcServer + "\n",
			"EXPORTER_SECRET 00 00\n", "\n",
		} {
			if n, err := l.Write([]byte(line)); n != len(line) || err != nil {
				t.Fatalf("got %d, %v for a line of the log", n, err)
			}
		}
		in, out, err := l.Keys(tls.TLS_AES_128_GCM_SHA256, server)
		if err != nil {
			t.Fatal(err)
		}
		return in, out
	}
	clientIn, clientOut = keys(false)
	serverIn, serverOut = keys(true)
	return clientIn, clientOut, serverIn, serverOut
}

// The application data of RFC 8448, section 3, byte for byte: the server's is
// its second record, behind a session ticket.
func TestRecordsOfRFC8448(t *testing.T) {
	t.Parallel()
	clientIn, clientOut, serverIn, serverOut := rfcKeys(t)
	payload := make([]byte, 50)
	for i := range payload {
		payload[i] = byte(i)
	}
	serverOut.seq, clientIn.seq = 1, 1
	for _, c := range []struct {
		name   string
		out    *Sealer
		in     *Opener
		record string
	}{
		{"client", clientOut, serverIn, "17030300 43a23f70 54b62c94 d0affafe 8228ba55 cbefacea 42f914aa 66bcab3f 2b9819a8 a5b46b39 5bd54a9a 20441e2b 62974e1f 5a6292a2 977014bd 1e3deae6 3aeebb21 694915e4"},
		{"server", serverOut, clientIn, "17030300 432e937e 11ef4ac7 40e538ad 36005fc4 a46932fc 3225d05f 82aa1b36 e30efaf9 7d90e6df fc602dcb 501a59a8 fcc49c4b f2e5f0a2 1c0047c2 abf33254 0dd032e1 67c2955d"},
	} {
		want := unhex(t, c.record)
		if got := c.out.Seal(nil, TypeApplicationData, payload); !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, want %x", c.name, got, want)
		}
		if got, err := c.in.Open([]byte("before "), want); err != nil || string(got) != "before "+string(payload) {
			t.Errorf("%s: opened %q, %v", c.name, got, err)
		}
	}
}

func TestKeyUpdate(t *testing.T) {
	t.Parallel()
	clientIn, clientOut, serverIn, serverOut := rfcKeys(t)
	pass := func(in *Opener, out *Sealer) {
		t.Helper()
		if got, err := in.Open(nil, out.Seal(nil, TypeApplicationData, []byte("data"))); err != nil || string(got) != "data" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	pass(serverIn, clientOut)
	old := *clientOut
	if got, err := serverIn.Open(nil, clientOut.SealKeyUpdate(nil)); err != nil || len(got) > 0 || serverIn.UpdateAsked() {
		t.Fatalf("an update that asks nothing: got %q, %v, asked", got, err)
	}
	pass(serverIn, clientOut)
	if _, err := serverIn.Open(nil, old.Seal(nil, TypeApplicationData, []byte("data"))); !errors.Is(err, AlertError(AlertBadRecordMAC)) {
		t.Errorf("a record by the old keys: got %v", err)
	}

	asks := serverOut.Seal(nil, TypeHandshake, []byte{messageKeyUpdate, 0, 0, 1, 1})
	serverOut.renew()
	if _, err := clientIn.Open(nil, asks); err != nil || !clientIn.UpdateAsked() || clientIn.UpdateAsked() {
		t.Fatalf("an update that asks for one: %v, or not told once", err)
	}
	pass(clientIn, serverOut)
	serverOut.seq = maxSealed
	if !serverOut.Worn() {
		t.Error("keys that sealed 2^24 records are not worn")
	}
	serverOut.renew()
	if serverOut.Worn() {
		t.Error("new keys are worn")
	}
}

func TestWhatOpenRefuses(t *testing.T) {
	t.Parallel()
	ticket := append([]byte{messageNewSessionTicket, 0, 0, 40}, make([]byte, 40)...)
	long := make([]byte, MaxPlaintext+1)
	long[MaxPlaintext] = 1
	for _, c := range []struct {
		name    string
		toWhom  string
		records []content
		want    error
	}{
		{"closing", "server", []content{{TypeAlert, []byte{1, AlertCloseNotify}}}, io.EOF},
		{"another alert", "server", []content{{TypeAlert, []byte{2, 40}}}, ErrPeer},
		{"a warning that is none in TLS 1.3", "server", []content{{TypeAlert, []byte{1, 100}}}, ErrPeer},
		{"user canceled", "server", []content{{TypeAlert, []byte{1, 90}}}, nil},
		{"half an alert", "server", []content{{TypeAlert, []byte{1}}}, AlertError(AlertDecodeError)},
		{"a change of cipher", "server", []content{{20, []byte{1}}}, AlertError(AlertUnexpectedMessage)},
		{"an empty handshake record", "server", []content{{TypeHandshake, nil}}, AlertError(AlertUnexpectedMessage)},
		{"a hello: renegotiation", "server", []content{{TypeHandshake, []byte{1, 0, 0, 0}}}, AlertError(AlertUnexpectedMessage)},
		{"a ticket from a client", "server", []content{{TypeHandshake, ticket}}, AlertError(AlertUnexpectedMessage)},
		{"a ticket from a server", "client", []content{{TypeHandshake, ticket}}, nil},
		{"a ticket in pieces", "client", []content{{TypeHandshake, ticket[:3]}, {TypeHandshake, ticket[3:30]}, {TypeHandshake, ticket[30:]}}, nil},
		{"data between the pieces", "client", []content{{TypeHandshake, ticket[:30]}, {TypeApplicationData, []byte("x")}}, AlertError(AlertUnexpectedMessage)},
		{"a ticket without end", "client", []content{{TypeHandshake, []byte{messageNewSessionTicket, 255, 255, 255}}}, AlertError(AlertDecodeError)},
		{"an update that is not last", "server", []content{{TypeHandshake, []byte{messageKeyUpdate, 0, 0, 1, 0, messageKeyUpdate}}}, AlertError(AlertUnexpectedMessage)},
		{"an update that is not last, in pieces", "server", []content{{TypeHandshake, []byte{messageKeyUpdate, 0}}, {TypeHandshake, []byte{0, 1, 0, 0}}}, AlertError(AlertUnexpectedMessage)},
		{"an update in pieces", "server", []content{{TypeHandshake, []byte{messageKeyUpdate}}, {TypeHandshake, []byte{0, 0}}, {TypeHandshake, []byte{1, 0}}}, nil},
		{"the beginning of a ticket from a client", "server", []content{{TypeHandshake, ticket[:1]}}, AlertError(AlertUnexpectedMessage)},
		{"the beginning of a long update", "server", []content{{TypeHandshake, []byte{messageKeyUpdate, 0, 1}}}, AlertError(AlertDecodeError)},
		{"a long update, in pieces", "server", []content{{TypeHandshake, []byte{messageKeyUpdate, 0}}, {TypeHandshake, []byte{0, 2}}}, AlertError(AlertDecodeError)},
		{"an update that says 2", "server", []content{{TypeHandshake, []byte{messageKeyUpdate, 0, 0, 1, 2}}}, AlertError(AlertDecodeError)},
		{"empty data", "server", slices.Repeat([]content{{TypeApplicationData, nil}}, maxIdle), nil},
		{"empty data without end", "server", slices.Repeat([]content{{TypeApplicationData, nil}}, maxIdle+1), AlertError(AlertUnexpectedMessage)},
		{"no type", "server", []content{{0, make([]byte, 10)}}, AlertError(AlertUnexpectedMessage)},
		{"as long as can be", "server", []content{{TypeApplicationData, long[:MaxPlaintext]}}, nil},
		{"too long", "server", []content{{TypeApplicationData, long}}, AlertError(AlertRecordOverflow)},
	} {
		clientIn, clientOut, serverIn, serverOut := rfcKeys(t)
		in, out := serverIn, clientOut
		if c.toWhom == "client" {
			in, out = clientIn, serverOut
		}
		var err error
		for i, r := range c.records {
			if err != nil {
				t.Fatalf("%s: record %d: %v", c.name, i-1, err)
			}
			_, err = in.Open(nil, r.sealed(out, 0))
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

// content is what an adversary with keys seals.
type content struct {
	typ  byte
	data []byte
}

// sealed is a record of any content with padding behind it.
func (c content) sealed(s *Sealer, padding int) []byte {
	n := len(c.data) + 1 + padding
	rec := []byte{TypeApplicationData, 3, 3, byte((n + tagLen) >> 8), byte(n + tagLen)}
	plain := append(append(bytes.Clone(c.data), c.typ), make([]byte, padding)...)
	s.take()
	return s.aead.Seal(rec, s.nonce[:], plain, rec)
}

func TestBytesThatAreNoRecord(t *testing.T) {
	t.Parallel()
	_, out, in, _ := rfcKeys(t)
	good := out.Seal(nil, TypeApplicationData, []byte("good"))
	for name, c := range map[string]struct {
		record []byte
		want   AlertError
	}{
		"nothing":        {nil, AlertUnexpectedMessage},
		"a header":       {good[:5], AlertUnexpectedMessage},
		"an open type":   {append([]byte{TypeHandshake}, good[1:]...), AlertUnexpectedMessage},
		"other length":   {good[:len(good)-1], AlertBadRecordMAC},
		"a changed byte": {append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1), AlertBadRecordMAC},
		"too long":       {make([]byte, MaxRecord+1), AlertRecordOverflow},
	} {
		in.seq = 0
		if got, err := in.Open(nil, c.record); !errors.Is(err, c.want) || len(got) > 0 {
			t.Errorf("%s: got %q, %v, want %v", name, got, err, c.want)
		}
	}
	in.seq = 0
	if got, err := in.Open(nil, good); err != nil || string(got) != "good" {
		t.Errorf("the good one: got %q, %v", got, err)
	}
	if _, err := in.Open(nil, good); err == nil {
		t.Error("the same record opened twice")
	}
	padded := content{TypeApplicationData, []byte("padded")}
	out.seq, in.seq = 7, 7
	if got, err := in.Open(nil, padded.sealed(out, 200)); err != nil || string(got) != "padded" {
		t.Errorf("with padding: got %q, %v", got, err)
	}
}

func TestKeysNeedSecrets(t *testing.T) {
	t.Parallel()
	if _, _, err := (&KeyLog{}).Keys(tls.TLS_AES_128_GCM_SHA256, true); !errors.Is(err, ErrSecrets) {
		t.Errorf("without secrets: got %v", err)
	}
	if _, _, err := (&KeyLog{}).Keys(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, true); !errors.Is(err, ErrSuite) {
		t.Errorf("a suite of TLS 1.2: got %v", err)
	}
	l := &KeyLog{}
	_, _ = l.Write([]byte("CLIENT_TRAFFIC_SECRET_0 00 xyz\n"))
	_, _ = l.Write([]byte("SERVER_TRAFFIC_SECRET_0 00 " + rfcServer + "\n"))
	if _, _, err := l.Keys(tls.TLS_AES_128_GCM_SHA256, false); !errors.Is(err, ErrSecrets) {
		t.Errorf("with a secret that is none: got %v", err)
	}
	if l.client != nil || l.server != nil {
		t.Error("the secrets were kept")
	}
}

// FuzzOpen gives an Opener what a peer with the right keys can make, and what
// one without them can.
func FuzzOpen(f *testing.F) {
	f.Add([]byte{TypeApplicationData, 'x'}, true)
	f.Add([]byte{TypeHandshake, messageKeyUpdate, 0, 0, 1, 1}, true)
	f.Add(append([]byte{TypeHandshake, messageKeyUpdate, 0, 0x3f, 0}, make([]byte, 1<<10)...), true)
	f.Add([]byte{TypeHandshake, 11, 1, 0x3f, 0, 0, 0}, true)
	f.Add([]byte{TypeHandshake, messageNewSessionTicket, 0, 0, 1, 1, messageNewSessionTicket, 0}, true)
	f.Add([]byte{TypeAlert, 1, 0}, true)
	f.Add([]byte{TypeApplicationData, 3, 3, 0, 17, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}, false)
	f.Fuzz(func(t *testing.T, b []byte, sealed bool) {
		clientIn, clientOut, serverIn, serverOut := rfcKeys(t)
		_, clientOut12, serverIn12, _ := keys12(t, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
		for _, end := range []struct {
			in  *Opener
			out *Sealer
		}{{serverIn, clientOut}, {clientIn, serverOut}, {serverIn12, clientOut12}} {
			record := b
			switch {
			case !sealed || len(b) == 0 || len(b) > MaxPlaintext:
			case end.out.old:
				record = end.out.Seal(nil, b[0], b[1:])
			default:
				record = content{b[0], b[1:]}.sealed(end.out, len(b)%3)
			}
			out, err := end.in.Open(make([]byte, 0, len(record)), record)
			if len(out) > len(record) || (err != nil && len(out) > 0) {
				t.Fatalf("%d bytes out of a record of %d with error %v", len(out), len(record), err)
			}
			if !sealed && err == nil {
				t.Fatal("a record without keys was taken")
			}
			if len(end.in.hand) > maxMessage || (end.in == serverIn && err == nil && len(end.in.hand) > len(keyUpdate)) {
				t.Fatalf("%d bytes of handshake are kept", len(end.in.hand))
			}
		}
	})
}
