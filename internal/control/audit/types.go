package audit

// Types is the closed list of event types, each with the retention class (of
// privacy specification 3.3) whose key seals its detail. After that class is
// destroyed for a person, the leaf proves that something happened, not to whom
// or what. Append one line for each new type.
var Types = map[string]string{
	"read.recorded":       "disclosure",
	"disclosure.intent":   "disclosure",
	"disclosure.finished": "disclosure",

	"realname.submitted": "realname_result",
	"realname.decided":   "realname_result",
	"realname.revoked":   "realname_result",
	"realname.erased":    "realname_result",
}
