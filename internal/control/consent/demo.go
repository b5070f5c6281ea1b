package consent

// DemoFacts are facts of an invented operator, for tests: those of this package
// cannot import consenttest.
// Domains are those that RFC 2606 keeps free.
func DemoFacts(profile string) Facts {
	f := Facts{Profile: profile, Operator: Operator{
		Brand: "示例云", LegalName: "示例云网络科技有限公司（演示）", Address: "示例市示例区示例路 1 号", Mail: "service@example.com",
		PrivacyMail: "privacy@example.com", Phone: "000-0000-0000", QQGroup: "000000000", DPO: "个人信息保护负责人办公室", DPOContact: "dpo@example.com",
		Complaint: "complaints@example.com", Authority: "国家互联网信息办公室（CAC）", URL: "https://localhost:8443",
	}}
	if profile == HongKong {
		f.Operator.Representative = "示例云（演示）境内代表处，representative@example.com"
		f.Operator.Authority = "香港个人资料私隐专员公署（PCPD）、国家互联网信息办公室（CAC）"
		f.Mechanism = "demo: exempt_volume"
	}
	return f
}
