package dtls

// transcript is the sequence of handshake messages that Finished covers, each
// with its 12 byte header as if it had never been fragmented (RFC 6347 4.2.6).
// It is kept as bytes because the hash is known only after the ServerHello; it
// is bounded, being made of a handful of bounded messages.
type transcript struct{ b []byte }

func (t *transcript) add(typ byte, seq uint16, body []byte) {
	t.b = appendMessage(t.b, typ, seq, body)
}

// hash returns the transcript's hash under the suite's PRF hash.
func (t *transcript) hash(s *suite) []byte {
	h := s.newHash()
	h.Write(t.b)
	return h.Sum(nil)
}
