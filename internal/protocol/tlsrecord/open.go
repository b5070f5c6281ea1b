package tlsrecord

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// AlertError is a record that ends the connection; its value is the alert that
// tells the peer why.
type AlertError byte

func (e AlertError) Error() string { return fmt.Sprintf("tlsrecord: alert %d", byte(e)) }

// ErrPeer says that the peer ended the connection by a fatal alert, which is a
// PeerError.
var ErrPeer = errors.New("tlsrecord: the peer sent an alert")

// PeerError is the fatal alert by which the peer ended the connection.
type PeerError byte

func (e PeerError) Error() string { return fmt.Sprintf("%v: %d", ErrPeer, byte(e)) }

// Is makes every PeerError an ErrPeer.
func (e PeerError) Is(target error) bool { return target == ErrPeer }

const (
	// maxIdle is how many records without application data may follow each
	// other.
	maxIdle = 16
	// maxMessage bounds a handshake message in pieces: a session ticket has at
	// most 64 KB.
	maxMessage = 80 << 10
	// keyUpdate is the head of a KeyUpdate: type and length.
	keyUpdate = string(rune(messageKeyUpdate)) + "\x00\x00\x01"
)

// levelWarning is the level of an alert that ends nothing in TLS 1.2.
const levelWarning = 1

// Opener reads the records of one direction. It belongs to one goroutine at a
// time.
type Opener struct {
	direction
	server bool   // whose peer is a client
	hand   []byte // the beginning of a handshake message
	idle   int
	asked  bool
}

// Open authenticates and decrypts one whole record, as long as its header says,
// and appends its application data to dst, which may not overlap it. dst's
// array is written up to len(record) bytes behind its length, and nothing is
// allocated when it has them. What is not application data is handled here and
// appends nothing. Errors end the connection: AlertError, io.EOF after
// close_notify, PeerError after another alert.
func (o *Opener) Open(dst, record []byte) ([]byte, error) {
	if len(record) > MaxRecord {
		return dst, AlertError(AlertRecordOverflow)
	}
	if o.old {
		return o.open12(dst, record)
	}
	if len(record) < HeaderLen+TailLen || record[0] != TypeApplicationData {
		return dst, AlertError(AlertUnexpectedMessage)
	}
	o.take()
	out, err := o.aead.Open(dst, o.nonce[:], record[HeaderLen:], record[:HeaderLen])
	if err != nil {
		return dst, AlertError(AlertBadRecordMAC)
	}
	typ, content := trim(out[len(dst):])
	return o.give(dst, out, typ, content)
}

// give handles what a record held, which lies behind dst in out.
func (o *Opener) give(dst, out []byte, typ byte, content []byte) ([]byte, error) {
	if len(content) > MaxPlaintext {
		return dst, AlertError(AlertRecordOverflow)
	}
	if data, err := o.sort(typ, content); err != nil || !data {
		return dst, err
	}
	return out[:len(dst)+len(content)], nil
}

// trim takes padding and type from the end of what was sealed (RFC 8446 5.4);
// type 0 when there is none.
func trim(inner []byte) (typ byte, content []byte) {
	end := len(inner) - 1
	for end >= 0 && inner[end] == 0 {
		end--
	}
	if end < 0 {
		return 0, nil
	}
	return inner[end], inner[:end]
}

// sort handles a record by its type and tells whether it is application data.
func (o *Opener) sort(typ byte, content []byte) (data bool, err error) {
	if len(o.hand) > 0 && typ != TypeHandshake { // RFC 8446 5.1
		return false, AlertError(AlertUnexpectedMessage)
	}
	if typ == TypeApplicationData && len(content) > 0 {
		o.idle = 0
		return true, nil
	}
	if o.idle++; o.idle > maxIdle {
		return false, AlertError(AlertUnexpectedMessage)
	}
	switch typ {
	case TypeApplicationData:
		return false, nil
	case TypeHandshake:
		if o.old { // renegotiation is not offered
			break
		}
		return false, o.handshake(content)
	case TypeAlert:
		if o.old && len(content) == 2 && content[0] == levelWarning && content[1] != AlertCloseNotify {
			return false, nil // RFC 5246 section 7.2.2
		}
		return false, alert(content)
	}
	return false, AlertError(AlertUnexpectedMessage)
}

// alert is what the peer's alert means (RFC 8446 6): all but two are fatal.
func alert(content []byte) error {
	const userCanceled = 90
	switch {
	case len(content) != 2:
		return AlertError(AlertDecodeError)
	case content[1] == AlertCloseNotify:
		return io.EOF
	case content[1] == userCanceled:
		return nil
	}
	return PeerError(content[1])
}

// handshake takes messages after the handshake, which may come in pieces.
func (o *Opener) handshake(content []byte) error {
	if len(content) == 0 { // RFC 8446 5.1
		return AlertError(AlertUnexpectedMessage)
	}
	if o.server {
		if err := o.misfit(content); err != nil {
			return err
		}
	}
	o.hand = append(o.hand, content...)
	for len(o.hand) >= 4 {
		n := 4 + int(binary.BigEndian.Uint32(o.hand)&0xffffff)
		if n > maxMessage {
			return AlertError(AlertDecodeError)
		}
		if len(o.hand) < n {
			return nil
		}
		if err := o.message(o.hand[:n], len(o.hand) == n); err != nil {
			return err
		}
		o.hand = o.hand[n:]
	}
	if len(o.hand) == 0 {
		o.hand = nil
	}
	return nil
}

// misfit tells what is wrong with more of a client's message, before it is kept:
// a client may send KeyUpdates of one byte, one in a record, and nothing else
// (RFC 8446 4.6).
func (o *Opener) misfit(content []byte) error {
	var b [len(keyUpdate) + 2]byte // the longest that can be right, and one more
	n := copy(b[:], o.hand)
	n += copy(b[n:], content)
	head := min(n, len(keyUpdate))
	switch {
	case b[0] != messageKeyUpdate:
		return AlertError(AlertUnexpectedMessage)
	case string(b[:head]) != keyUpdate[:head]:
		return AlertError(AlertDecodeError)
	case n == len(b):
		return AlertError(AlertUnexpectedMessage)
	}
	return nil
}

// message takes one; last says that the record ends with it.
func (o *Opener) message(m []byte, last bool) error {
	switch {
	case m[0] == messageNewSessionTicket && !o.server:
		return nil // we do not resume
	case m[0] != messageKeyUpdate || !last: // keys change between records
		return AlertError(AlertUnexpectedMessage)
	case len(m) != 5 || m[4] > 1:
		return AlertError(AlertDecodeError)
	}
	o.asked = o.asked || m[4] == 1
	o.renew()
	return nil
}

// UpdateAsked tells once that the peer asked for new keys in the other
// direction: Sealer.SealKeyUpdate is due before the next application data.
func (o *Opener) UpdateAsked() bool {
	asked := o.asked
	o.asked = false
	return asked
}
