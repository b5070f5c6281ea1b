package bundle

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"encoding/base64"
	"io"
	"strings"
)

// LinkPrefix begins a link. What follows the # never reaches a server: it is a
// fragment.
const LinkPrefix = "skyconnect://import#"

// maxLink bounds the text of a link: some programs hand on no longer ones.
const maxLink = 32 << 10

// MaxQR is how long a link may be that a QR code of the largest size holds, at
// the lowest level of correction (ISO/IEC 18004, version 40-L, bytes).
const MaxQR = 2953

// The first byte of what is packed says how.
const (
	packedPlain = 1
	packedDict  = 2 // by the words of dictionary
)

// dictionary holds the words that bundles share, so that the text of a policy
// fits into a QR code. It is frozen: another one would be another byte.
//
//go:embed dictionary.txt
var dictionary []byte

// Link writes the bundle as a link, signature and all.
func (b Bundle) Link() (string, error) {
	if err := b.check(); err != nil {
		return "", err
	}
	text, err := encode(b, "")
	if err != nil {
		return "", err
	}
	packed := bytes.NewBuffer([]byte{packedDict})
	w, err := flate.NewWriterDict(packed, flate.BestCompression, dictionary)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(text); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	link := LinkPrefix + base64.RawURLEncoding.EncodeToString(packed.Bytes())
	if len(link) > maxLink {
		return "", ErrTooLarge
	}
	return link, nil
}

// ParseLink is Parse for a link. It unpacks MaxSize bytes at most.
func ParseLink(link string) (Bundle, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(link), LinkPrefix)
	if !ok || len(rest) > maxLink {
		return Bundle{}, ErrLink
	}
	packed, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	if err != nil || len(packed) < 2 {
		return Bundle{}, ErrLink
	}
	text, err := unpack(packed[0], packed[1:])
	if err != nil {
		return Bundle{}, err
	}
	return Parse(text)
}

func unpack(how byte, packed []byte) ([]byte, error) {
	var words []byte
	switch how {
	case packedPlain:
	case packedDict:
		words = dictionary
	default:
		return nil, ErrLink
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(bytes.NewReader(packed), words), MaxSize+1))
	if err != nil {
		return nil, ErrLink
	}
	if len(text) > MaxSize {
		return nil, ErrTooLarge
	}
	return text, nil
}
