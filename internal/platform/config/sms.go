package config

import (
	"errors"
	"fmt"
)

// SMS is the operator's account with a short message service. Without it no
// telephone number can be added.
type SMS struct {
	Endpoint    string       `yaml:"endpoint"`
	AccessKeyID string       `yaml:"access_key_id"` // empty: no SMS
	SecretFile  string       `yaml:"secret_file"`
	SignName    string       `yaml:"sign_name"` // the approved signature, without its brackets
	Mainland    SMSTemplates `yaml:"mainland"`  // for numbers of mainland China
	Abroad      SMSTemplates `yaml:"abroad"`    // for all others; empty: none are reached
	ADay        int64        `yaml:"a_day"`     // the most SMS in 24 hours; 0 = no limit
}

// SMSTemplates are the codes that the service gave the texts of docs/operations/sms.md.
type SMSTemplates struct {
	Code     string `yaml:"code"`
	Security string `yaml:"security"`
	Expiry   string `yaml:"expiry"`
}

// Codes are the codes by the texts' ids; without any of them none.
func (t SMSTemplates) Codes() map[string]string {
	if t == (SMSTemplates{}) {
		return nil
	}
	return map[string]string{"code": t.Code, "security": t.Security, "expiry": t.Expiry}
}

func (c Config) validateSMS() (wrong []error) {
	s := c.SMS
	if s.ADay < 0 {
		wrong = append(wrong, errors.New("sms.a_day: give a number of SMS, or 0 for no limit"))
	}
	if s.AccessKeyID == "" {
		return wrong
	}
	if s.SecretFile == "" || s.SignName == "" {
		wrong = append(wrong, errors.New("sms: give secret_file and sign_name with access_key_id"))
	}
	for area, t := range map[string]SMSTemplates{"mainland": s.Mainland, "abroad": s.Abroad} {
		if (area == "mainland" || t != SMSTemplates{}) && (t.Code == "" || t.Security == "" || t.Expiry == "") {
			wrong = append(wrong, fmt.Errorf("sms.%s: give the codes of all three templates, code, security and expiry", area))
		}
	}
	return wrong
}
