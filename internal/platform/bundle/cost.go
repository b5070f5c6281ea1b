package bundle

import (
	"encoding/asn1"
	"math/big"
)

// maxRounds is how many rounds of key derivation a file may ask for; programs
// write 2048 to 1000000.
const maxRounds = 5_000_000

// costly tells whether a PKCS #12 file asks for so much work that opening it
// would not end: an INTEGER beside an OCTET STRING is a number of rounds beside
// its salt (RFC 7292, appendix B and C; RFC 8018, A.2 and A.3). What is inside
// of an encrypted part is seen only by who has its passphrase.
func costly(der []byte) bool { return asksFor(der, maxRounds, 0) }

const deepest = 24

// asksFor tells whether more than most rounds are asked for.
func asksFor(der []byte, most int64, depth int) bool {
	salted := false
	for len(der) > 0 && depth < deepest {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil {
			return false // no DER: a text, a key, a ciphertext
		}
		if salted && v.Class == asn1.ClassUniversal && v.Tag == asn1.TagInteger && new(big.Int).SetBytes(v.Bytes).Cmp(big.NewInt(most)) > 0 {
			return true
		}
		salted = v.Class == asn1.ClassUniversal && v.Tag == asn1.TagOctetString
		if (v.IsCompound || salted) && asksFor(v.Bytes, most, depth+1) {
			return true
		}
		der = rest
	}
	return false
}
