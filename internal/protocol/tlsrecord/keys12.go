package tlsrecord

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"encoding/binary"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

// suite12 is a cipher suite of TLS 1.2 with an AEAD. With AES-GCM each record
// carries 8 bytes of its nonce (RFC 5288 section 3); with ChaCha20-Poly1305
// none (RFC 7905 section 2).
type suite12 struct {
	suite
	fixed int // bytes of the nonce that come from the key block
}

var suites12 = map[uint16]*suite12{
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:         {suite{16, sha256.New, newGCM}, 4},
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:       {suite{16, sha256.New, newGCM}, 4},
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:         {suite{32, sha512.New384, newGCM}, 4},
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:       {suite{32, sha512.New384, newGCM}, 4},
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:   {suite{32, sha256.New, chacha20poly1305.New}, 12},
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: {suite{32, sha256.New, chacha20poly1305.New}, 12},
}

// Keys12 returns the two directions of a connection with a cipher suite of TLS
// 1.2, whose server_random was random, as its server or its client, behind the
// Finished of both ends, and forgets the secrets.
func (l *KeyLog) Keys12(id uint16, random [32]byte, server bool) (*Opener, *Sealer, error) {
	client, master := l.random, l.master
	l.random, l.master = nil, nil
	s := suites12[id]
	if s == nil {
		return nil, nil, ErrSuite
	}
	if len(client) != len(random) || len(master) != 48 {
		return nil, nil, ErrSecrets
	}
	// client_write_key, server_write_key, client_write_IV, server_write_IV
	// (RFC 5246 section 6.3)
	block := prf(s.hash, master, "key expansion", append(random[:], client...), 2*(s.keyLen+s.fixed))
	keys, ivs := block[:2*s.keyLen], block[2*s.keyLen:]
	in, out := s.direction(keys[:s.keyLen], ivs[:s.fixed]), s.direction(keys[s.keyLen:], ivs[s.fixed:])
	if !server {
		in, out = out, in
	}
	clear(block)
	clear(master)
	return &Opener{direction: in, server: server}, &Sealer{out}, nil
}

func (s *suite12) direction(key, iv []byte) direction {
	aead, err := s.aead(key)
	if err != nil {
		panic(err) // the length is the suite's
	}
	d := direction{suite: &s.suite, aead: aead, old: true, explicit: 12 - s.fixed, seq: 1} // Finished was record 0
	copy(d.iv[:], iv)
	return d
}

// prf is the PRF of RFC 5246 section 5.
func prf(h func() hash.Hash, secret []byte, label string, seed []byte, n int) []byte {
	seed = append([]byte(label), seed...)
	mac := func(parts ...[]byte) []byte {
		m := hmac.New(h, secret)
		for _, p := range parts {
			_, _ = m.Write(p)
		}
		return m.Sum(nil)
	}
	var out []byte
	for a := mac(seed); len(out) < n; a = mac(a) {
		out = append(out, mac(a, seed)...)
	}
	return out[:n]
}

// describe fills in what of a record of n bytes of content its AEAD protects
// beside it (RFC 5246 section 6.2.3.3).
func (d *direction) describe(typ byte, n int) {
	binary.BigEndian.PutUint64(d.extra[:], d.seq)
	d.extra[8], d.extra[9], d.extra[10] = typ, 3, 3
	binary.BigEndian.PutUint16(d.extra[11:], uint16(n))
}

// take12 makes the nonce of the next record, whose explicit part is carried.
func (d *direction) take12(carried []byte) {
	if d.explicit == 0 {
		d.take()
		return
	}
	copy(d.nonce[:], d.iv[:12-d.explicit])
	copy(d.nonce[12-d.explicit:], carried)
	d.seq++
}

// seal12 is SealInPlace.
func (s *Sealer) seal12(rec []byte, typ byte) {
	head, end := s.Head(), len(rec)-tagLen
	rec[0], rec[1], rec[2] = typ, 3, 3
	binary.BigEndian.PutUint16(rec[3:], uint16(len(rec)-HeaderLen))
	if s.explicit > 0 {
		binary.BigEndian.PutUint64(rec[HeaderLen:], s.seq)
	}
	s.describe(typ, end-head)
	s.take12(rec[HeaderLen:head])
	s.aead.Seal(rec[head:head], s.nonce[:], rec[head:end], s.extra[:])
}

// open12 is Open.
func (o *Opener) open12(dst, record []byte) ([]byte, error) {
	head := o.Head()
	if len(record) < head+tagLen {
		return dst, AlertError(AlertUnexpectedMessage)
	}
	o.describe(record[0], len(record)-head-tagLen)
	o.take12(record[HeaderLen:head])
	out, err := o.aead.Open(dst, o.nonce[:], record[head:], o.extra[:])
	if err != nil {
		return dst, AlertError(AlertBadRecordMAC)
	}
	return o.give(dst, out, record[0], out[len(dst):])
}
