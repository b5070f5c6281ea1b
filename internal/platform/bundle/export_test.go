package bundle

// AsksFor tells whether a PKCS #12 file asks for more than most rounds.
func AsksFor(der []byte, most int64) bool { return asksFor(der, most, 0) }
