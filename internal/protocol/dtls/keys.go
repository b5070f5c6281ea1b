package dtls

import (
	"crypto/hmac"
	"encoding/binary"
	"hash"
)

// Keys is the key block of a connection, cut as RFC 5246 6.3 orders it for AEAD
// suites (which have no MAC keys). It is secret.
type Keys struct {
	ClientKey, ServerKey []byte
	ClientIV, ServerIV   []byte // fixed part of the nonce: 4 bytes for GCM, 12 for ChaCha20
}

// PSKMasterSecret derives the 48 byte master secret of a PSK handshake without
// the extended master secret (RFC 4279 section 2, RFC 5246 8.1).
func PSKMasterSecret(suiteID uint16, psk, clientRandom, serverRandom []byte) ([]byte, error) {
	s, err := suiteByID(suiteID)
	if err != nil {
		return nil, err
	}
	return prf(s.newHash, masterSecretLen, pskPremaster(psk), "master secret", clientRandom, serverRandom), nil
}

// PSKExtendedMasterSecret derives the master secret of RFC 7627: sessionHash is
// the hash of all handshake messages up to and including ClientKeyExchange.
func PSKExtendedMasterSecret(suiteID uint16, psk, sessionHash []byte) ([]byte, error) {
	s, err := suiteByID(suiteID)
	if err != nil {
		return nil, err
	}
	return prf(s.newHash, masterSecretLen, pskPremaster(psk), "extended master secret", sessionHash), nil
}

// DeriveKeys expands a master secret into the key block of the suite.
func DeriveKeys(suiteID uint16, master, clientRandom, serverRandom []byte) (Keys, error) {
	s, err := suiteByID(suiteID)
	if err != nil {
		return Keys{}, err
	}
	b := prf(s.newHash, 2*(s.keyLen+s.ivLen), master, "key expansion", serverRandom, clientRandom)
	cut := func(n int) []byte { part := b[:n:n]; b = b[n:]; return part }
	return Keys{
		ClientKey: cut(s.keyLen), ServerKey: cut(s.keyLen),
		ClientIV: cut(s.ivLen), ServerIV: cut(s.ivLen),
	}, nil
}

// verifyData computes the 12 bytes of a Finished message (RFC 5246 7.4.9) over
// the hash of the handshake messages so far. server tells whose Finished it is.
func verifyData(s *suite, master []byte, server bool, transcriptHash []byte) []byte {
	label := "client finished"
	if server {
		label = "server finished"
	}
	return prf(s.newHash, verifyDataLen, master, label, transcriptHash)
}

// pskPremaster is len || zeros || len || psk (RFC 4279 section 2).
func pskPremaster(psk []byte) []byte {
	b := make([]byte, 0, 4+2*len(psk))
	b = binary.BigEndian.AppendUint16(b, uint16(len(psk)))
	b = append(b, make([]byte, len(psk))...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(psk)))
	return append(b, psk...)
}

// prf is P_hash of RFC 5246 section 5 with the seed given in parts.
func prf(newHash func() hash.Hash, n int, secret []byte, label string, seed ...[]byte) []byte {
	mac := hmac.New(newHash, secret)
	full := []byte(label)
	for _, s := range seed {
		full = append(full, s...)
	}
	var out []byte
	a := full
	for len(out) < n {
		mac.Reset()
		mac.Write(a)
		a = mac.Sum(nil)
		mac.Reset()
		mac.Write(a)
		mac.Write(full)
		out = mac.Sum(out)
	}
	return out[:n]
}
