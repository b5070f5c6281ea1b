package tlsrecord

import "encoding/binary"

// Sizes of a record.
const (
	HeaderLen = 5
	// TailLen is what comes behind the content in TLS 1.3: its type and the AEAD's
	// tag.
	TailLen = 1 + tagLen
	// MaxPlaintext is the longest content.
	MaxPlaintext = 1 << 14
	// MaxRecord is the longest record, header included.
	MaxRecord = HeaderLen + MaxPlaintext + 256

	tagLen = 16
)

// Content types.
const (
	TypeAlert           = 21
	TypeHandshake       = 22
	TypeApplicationData = 23
)

// Alerts (RFC 8446 6).
const (
	AlertCloseNotify       = 0
	AlertUnexpectedMessage = 10
	AlertBadRecordMAC      = 20
	AlertRecordOverflow    = 22
	AlertDecodeError       = 50
)

const (
	messageNewSessionTicket = 4
	messageKeyUpdate        = 24
)

// maxSealed is after how many records a direction gets new keys: AES-GCM is
// good for 2^24.5 of them (RFC 8446 5.5).
const maxSealed = 1 << 24

// Sealer makes the records of one direction. It belongs to one goroutine at a
// time.
type Sealer struct{ direction }

// SealInPlace makes one record of all of rec, whose content lies at
// rec[s.Head():len(rec)-s.Tail()] and is at most MaxPlaintext long. Nothing is
// allocated.
func (s *Sealer) SealInPlace(rec []byte, typ byte) {
	end := len(rec) - s.Tail()
	if end < s.Head() || end > s.Head()+MaxPlaintext {
		panic("tlsrecord: content that is no record's") // the caller's mistake, not input
	}
	if s.old {
		s.seal12(rec, typ)
		return
	}
	rec[0], rec[1], rec[2] = TypeApplicationData, 3, 3
	binary.BigEndian.PutUint16(rec[3:], uint16(len(rec)-HeaderLen))
	rec[end] = typ
	s.take()
	s.aead.Seal(rec[HeaderLen:HeaderLen], s.nonce[:], rec[HeaderLen:end+1], rec[:HeaderLen])
}

// Seal appends the record of content, at most MaxPlaintext bytes, to dst.
func (s *Sealer) Seal(dst []byte, typ byte, content []byte) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, s.Head())...)
	dst = append(dst, content...)
	dst = append(dst, make([]byte, s.Tail())...)
	s.SealInPlace(dst[at:], typ)
	return dst
}

// SealAlert appends an alert, which is fatal unless it is AlertCloseNotify.
func (s *Sealer) SealAlert(dst []byte, alert byte) []byte {
	level := byte(2)
	if alert == AlertCloseNotify {
		level = 1
	}
	return s.Seal(dst, TypeAlert, []byte{level, alert})
}

// Worn tells that the keys have sealed enough: a KeyUpdate is due. TLS 1.2 has
// none: there a new tunnel brings new keys.
func (s *Sealer) Worn() bool { return s.seq >= maxSealed && !s.old }

// SealKeyUpdate appends a KeyUpdate, which asks nothing of the peer, and goes
// on with new keys.
func (s *Sealer) SealKeyUpdate(dst []byte) []byte {
	dst = s.Seal(dst, TypeHandshake, []byte{messageKeyUpdate, 0, 0, 1, 0})
	s.renew()
	return dst
}
