package dtls

import (
	"encoding/binary"
	"errors"
)

// Content types of DTLS records (RFC 5246 6.2.1).
const (
	TypeChangeCipherSpec = 20
	TypeAlert            = 21
	TypeHandshake        = 22
	TypeApplicationData  = 23
)

const (
	recordHeaderLen = 13
	version12       = 0xfefd
	version10       = 0xfeff // allowed on the record that carries a ClientHello

	// maxCiphertext is the largest fragment a record may carry (RFC 5246 6.2.3).
	maxCiphertext = 1<<14 + 2048
	maxPlaintext  = 1 << 14
)

// Errors of the record layer. All of them mean "drop the record silently".
var (
	ErrRecord = errors.New("dtls: malformed record")
	ErrEpoch  = errors.New("dtls: record of another epoch")
	ErrReplay = errors.New("dtls: record repeated or older than the window")
	ErrAuth   = errors.New("dtls: record failed authentication")
)

// NextRecord cuts the first record off a datagram. The record keeps its 13
// byte header and aliases the datagram. ErrRecord is returned for anything that
// is not a whole DTLS 1.2 record; the rest of such a datagram is worthless.
func NextRecord(datagram []byte) (record, rest []byte, err error) {
	if len(datagram) < recordHeaderLen {
		return nil, nil, ErrRecord
	}
	v := binary.BigEndian.Uint16(datagram[1:])
	if v != version12 && v != version10 {
		return nil, nil, ErrRecord
	}
	n := int(binary.BigEndian.Uint16(datagram[11:]))
	if n > maxCiphertext || n > len(datagram)-recordHeaderLen {
		return nil, nil, ErrRecord
	}
	end := recordHeaderLen + n
	return datagram[:end:end], datagram[end:], nil
}

// The accessors below read the header of a record that NextRecord returned.

func recordEpoch(r []byte) uint16   { return binary.BigEndian.Uint16(r[3:]) }
func recordSeq(r []byte) uint64     { return binary.BigEndian.Uint64(r[3:]) & maxSeq }
func recordPayload(r []byte) []byte { return r[recordHeaderLen:] }

// Sequence is the sequence number that a record of [NextRecord] claims, without
// its epoch.
func Sequence(record []byte) uint64 { return recordSeq(record) }

// appendPlainRecord appends an epoch 0 record.
func appendPlainRecord(b []byte, typ byte, version uint16, seq uint64, payload []byte) []byte {
	b = append(b, typ)
	b = binary.BigEndian.AppendUint16(b, version)
	b = binary.BigEndian.AppendUint64(b, seq&maxSeq)
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	return append(b, payload...)
}
