package sslvpn

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"
)

// recordSealer makes TLS 1.3 records of a client by hand (RFC 8446 5.2 and 7.3):
// such as crypto/tls would not make.
type recordSealer struct {
	aead cipher.AEAD
	iv   []byte
	seq  uint64
}

var trafficSecret = regexp.MustCompile(`CLIENT_TRAFFIC_SECRET_0 [0-9a-f]+ ([0-9a-f]+)`)

// newRecordSealer continues a connection of which secrets is the key log and
// whose client has sent seq records since its handshake.
func newRecordSealer(t *testing.T, suite uint16, secrets string, seq uint64) *recordSealer {
	t.Helper()
	m := trafficSecret.FindStringSubmatch(secrets)
	if m == nil {
		t.Fatalf("no secret in the key log %q", secrets)
	}
	secret, err := hex.DecodeString(m[1])
	if err != nil {
		t.Fatal(err)
	}
	expand := func(label string, n int) []byte {
		info := append([]byte{0, byte(n), byte(6 + len(label))}, "tls13 "+label+"\x00"...)
		out, err := hkdf.Expand(sha256.New, secret, string(info), n)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	s := &recordSealer{iv: expand("iv", 12), seq: seq}
	switch suite {
	case tls.TLS_AES_128_GCM_SHA256:
		block, _ := aes.NewCipher(expand("key", 16)) // of a length that is right
		s.aead, err = cipher.NewGCM(block)
	case tls.TLS_CHACHA20_POLY1305_SHA256:
		s.aead, err = chacha20poly1305.New(expand("key", 32))
	default:
		t.Fatalf("no such suite here: %s", tls.CipherSuiteName(suite))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// seal makes a record of application data.
func (s *recordSealer) seal(content []byte) []byte {
	inner := append(append([]byte(nil), content...), 23)
	head := binary.BigEndian.AppendUint16([]byte{23, 3, 3}, uint16(len(inner)+s.aead.Overhead()))
	nonce := append([]byte(nil), s.iv...)
	for i, b := range binary.BigEndian.AppendUint64(nil, s.seq) {
		nonce[4+i] ^= b
	}
	s.seq++
	return s.aead.Seal(head, nonce, inner, head)
}
