// The wire types of /api/v1 by the names that the console uses. They are generated from the API's own
// description: `npm run generate`.

import type { components } from './schema';

type Schemas = components['schemas'];

export interface List<T> {
  items: T[];
  next_cursor: string;
}

/** Words in the language of the request, or in each language. */
export type Text = string | Record<string, string>;

export type Invoice = Schemas['Invoice'];
export type InvoiceDetail = Schemas['InvoiceDetail'];
export type InvoiceLine = Schemas['InvoiceLine'];
export type StaffInvoice = Schemas['StaffInvoice'];
export type Bill = Schemas['Bill'];
export type BillSum = Schemas['BillSum'];
export type BillRow = Schemas['BillRow'];
export interface InvoiceFilter {
  kind?: Invoice['kind'];
  account?: string;
  order?: string;
  number?: string;
  from?: string;
  to?: string;
}
export type StaffReceipt = Schemas['StaffReceipt'];
export type Money = Schemas['Money'];

export type Me = Schemas['Me'];
export type LoginSession = Schemas['LoginSession'];
export type CookieEntry = Schemas['CookieEntry'];
export type Download = Schemas['Download'];
export type LoginEntry = Schemas['LoginEntry'];
export type AccessEntry = Schemas['AccessEntry'];
export type Enrolment = Schemas['Enrolment'];
export type Registration = Schemas['Registration'];
export type Login = Schemas['Login'];
export type Proof = Schemas['Proof'];
export type AgeGroup = Schemas['AgeGroup'];
export type NewChild = Schemas['NewChild'];
export type Child = Schemas['Child'];
export type UnguardedMinor = Schemas['UnguardedMinor'];
export type NewGuardianship = Schemas['NewGuardianship'];
export type WaitingMinor = Schemas['WaitingMinor'];
export type MinorReading = Schemas['MinorReading'];
export type MinorAudit = Schemas['MinorAudit'];
export type VPNUserLogin = Schemas['VPNUserLogin'];
export type VPNUserEntry = Schemas['VPNUserEntry'];
export type VPNUserProfile = Schemas['VPNUserProfile'];
export type VPNUserAct = Schemas['VPNUserAct'];
export type NewVPNUserRequest = Schemas['NewVPNUserRequest'];
export type ResetReason = Pick<Schemas['PasswordReset'], 'reason' | 'reason_text'>;
export type Notice = Schemas['Notice'];

export type OwnIncidentNotice = Schemas['OwnIncidentNotice'];
export type Incident = Schemas['Incident'];
export type IncidentFile = Schemas['IncidentFile'];
export type IncidentClock = Schemas['IncidentClock'];
export type IncidentNotice = Schemas['IncidentNotice'];
export type IncidentNoticeDraft = Schemas['IncidentNoticeDraft'];
export type IncidentReport = Schemas['IncidentReport'];
export type IncidentTask = Schemas['IncidentTask'];
export type IncidentTaskResult = Schemas['IncidentTaskResult'];
export type NewIncident = Schemas['NewIncident'];

export type StaffPolicy = Schemas['StaffPolicy'];
export type PolicyPreview = Schemas['PolicyPreview'];
export type PolicyProblem = Schemas['PolicyProblem'];
export type PolicyLine = Schemas['PolicyLine'];
export type PolicyDraft = Schemas['PolicyDraft'];
export type Trust = Schemas['Trust'];
export type TrustLog = Schemas['TrustLog'];
export type TrustClause = Schemas['TrustClause'];
export type Policy = Schemas['Policy'];
export type OptionalContact = Schemas['OptionalContact'];
export type NoticePreferences = Schemas['NoticePreferences'];
export type NoticePreference = Schemas['NoticePreference'];
export type NoticeChoice = Schemas['NoticeChoice'];
export type NoticeChoices = Schemas['NoticeChoices'];
export type PhoneEntry = Schemas['PhoneEntry'];
export type QQEntry = Schemas['QQEntry'];
export type PlaceEntry = Schemas['PlaceEntry'];
export type ConsentPrompt = Schemas['ConsentPrompt'];
export type ConsentRecord = Schemas['ConsentRecord'];
export type ConsentAct = Schemas['ConsentAct'];
export type Disclosure = Schemas['Disclosure'];
export type Read = Schemas['ReadEvent'];
export type Verification = Schemas['RealNameVerification'];

export type Region = Schemas['Region'];
export type Product = Schemas['Product'];
export type Offer = Schemas['Offer'];
export type QuoteRequest = Schemas['QuoteRequest'];
export type Quote = Schemas['Quote'];
export type BoughtService = Schemas['Service'];
export type StaffService = Schemas['StaffService'];
export type ServiceReason = Schemas['ServiceReason'];
export type ServiceTerm = Schemas['ServiceTerm'];
export type ServiceTerms = Schemas['ServiceTerms'];
export type ServiceWatch = 'all' | 'due' | 'overdue' | 'suspended' | 'locked' | 'ending';
export type OrderRequest = Schemas['OrderRequest'];
export type Order = Schemas['Order'];
export type OrderLine = Schemas['OrderLine'];
export type PaymentMethod = Schemas['PaymentMethod'];
export type Payment = Schemas['Payment'];
export type Instruction = Schemas['Instruction'];
export type StartedPayment = Schemas['PaymentStart'];

export type Gateway = Schemas['VPNGateway'];
export type Network = Schemas['Network'];
export type Sample = Schemas['TrafficSample'];
export type SSLServer = Schemas['SSLServer'];
export type ACLRule = Schemas['ACLRule'];
export type SSLServerRequest = Schemas['SSLServerRequest'];
export type GatewayPatch = Schemas['VPNGatewayPatch'];
export type SSLServerPatch = Schemas['SSLServerPatch'];
export type SSLGroup = Schemas['SSLGroup'];
export type SSLClient = Schemas['SSLClient'];
export type SSLClientRequest = Schemas['SSLClientRequest'];
export type SSLClientPatch = Schemas['SSLClientPatch'];
export type ClientDevice = Schemas['SSLClientDevice'];
export type BlockedCertificate = Schemas['BlockedCertificate'];
export type CertificateBlock = Schemas['CertificateBlock'];
export type TokenEnrolment = Schemas['TokenEnrolment'];
export type TokenInvitation = Schemas['TokenInvitation'];
export type BundleLink = Schemas['BundleLink'];
export type ClientSecret = Schemas['SSLClientSecret'];
export type BatchRow = Schemas['SSLClientBatchRow'];
export type Quota = Schemas['Quota'];
export type QuotaAsk = Schemas['QuotaAsk'];
export type QuotaName = QuotaAsk['name'];
export type Limit = Schemas['Limit'];
export type Certificate = Schemas['Certificate'];
export type CertificateUpload = Schemas['CertificateUpload'];
export type Reissue = Schemas['Reissue'];
export type VPNSession = Schemas['VPNSession'];

/** What of an SSL server its owner decides. */
export type SSLServerSettings = Omit<
  SSLServer,
  | 'id'
  | 'gateway'
  | 'state'
  | 'port'
  | 'server_names'
  | 'ca_pem'
  | 'pin'
  | 'version'
  | 'created_at'
  | 'updated_at'
>;

export type AdminUser = Schemas['User'];
export type AdminOrder = Schemas['StaffOrder'];
export type AdminPayment = Schemas['StaffPayment'];
export type Node = Schemas['GatewayNode'];
export type AuditEntry = Schemas['LogLeaf'];
export type RetentionRun = Schemas['RetentionRun'];
export type Hold = Schemas['Hold'];
export type NewHold = Schemas['NewHold'];
export type LegalOrder = Schemas['LegalOrder'];
export type NewLegalOrder = Schemas['NewLegalOrder'];
export type AuditReport = Schemas['LogReport'];

export type RightsRequest = Schemas['DataSubjectRequest'];
export type RightsCase = Schemas['DataSubjectCase'];
export type NewRightsRequest = Schemas['NewDataSubjectRequest'];
export type RightsKind = NewRightsRequest['kind'];
export type DataCopy = Schemas['DataCopy'];
export type ProofPack = Schemas['ProofPack'];
export type OwnData = Schemas['OwnData'];
export type OwnDataSheet = Schemas['OwnDataSheet'];
export type RightsAnswer = Schemas['DataSubjectAnswer'];
export type SpecialReason = Schemas['SpecialInputBody']['reason'];
export type LinkedRequest = Schemas['LinkedRequest'];
export type IntakeChannel = Schemas['IntakeChannel'];
export type TakenRequest = Schemas['TakenRequest'];
export type RetentionClass = Schemas['RetentionClass'];
export type Training = Schemas['Training'];
export type StaffMember = Schemas['StaffMember'];
export type StaffRole = Schemas['StaffRole'];
export type ReadStop = Schemas['ReadStop'];
export type CorrectionTask = Schemas['CorrectionTask'];
export type RealNameCorrection = Schemas['RealNameCorrection'];
export type PaperNeed = Schemas['PaperNeed'];
export type Agreement = Schemas['ProcessingAgreement'];
export type Assessment = Schemas['ImpactAssessment'];
export type Erasure = Schemas['Erasure'];
export type ErasureCase = Schemas['ErasureCase'];
export type QuotaRequest = Schemas['QuotaRequest'];
export type QuotaDecision = Schemas['QuotaDecision'];
export type ExportCounter = Schemas['ExportCounter'];
export type BusinessTransfer = Schemas['BusinessTransfer'];
export type NewTransfer = Omit<
  BusinessTransfer,
  'id' | 'state' | 'entered_by' | 'entered_at' | 'signature' | 'signed_at' | 'ended_at' | 'told_at'
>;
export type RealNameReview = Schemas['RealNameReview'];
export type RealNameValues = Schemas['RealNameValues'];

/** The data map; Purposes is null where a column is not personal. */
export interface MapColumn {
  Name: string;
  Why: string;
  Category: string;
  Purposes: string[] | null;
  Basis: string;
  Retention: string;
  Sealed: boolean;
}
/** Names that leave the tables, by the way out; each has a class. */
export type Register = 'log_keys' | 'metric_labels' | 'job_arguments' | 'gateway_messages' | 'sent' | 'api';
export type Classes = Record<string, string>;
export interface MapTable {
  Name: string;
  Columns: MapColumn[];
}
export type Refund = Schemas['Refund'];
export type RefundOffer = Schemas['RefundOffer'];
export type RefundTarget = Refund['target'];
export type RefundStep = Schemas['RefundStep'];
export type RefundDetail = Schemas['RefundDetail'];
export type StaffRefund = Schemas['StaffRefund'];
export type Wallet = Schemas['Wallet'];
export type WalletLine = Schemas['WalletLine'];
export type TopUpRequest = Schemas['TopUpRequest'];
export type AwaitedTransfer = Schemas['AwaitedTransfer'];
/** A state of refunds, or all that wait for a person. */
export type RefundWanted = Schemas['StaffRefund']['state'] | 'person';
export type ProviderBill = Schemas['ProviderBill'];
export type Difference = Schemas['Difference'];
export type StatementRequest = Schemas['StatementRequest'];
export type SuspenseAct = Schemas['SuspenseAct'];
export type SuspenseRequest = Schemas['SuspenseRequest'];
export type BankTransfer = Schemas['BankTransfer'];
export type BankTransferRequest = Schemas['BankTransferRequest'];
export type Grant = Schemas['Grant'];
export type GrantRequest = Schemas['GrantRequest'];
export type BookAccount = Schemas['BookAccount'];
export type BookDay = Schemas['BookDay'];
export type Verdict = Schemas['VerdictRequest']['verdict'];
export type Ticket = Schemas['Ticket'];
export type TicketThread = Schemas['TicketThread'];
export type TicketMessage = Schemas['TicketMessage'];
export type TicketFile = Schemas['TicketFile'];
export type NewTicket = Schemas['NewTicket'];
export type NewTicketFile = Schemas['NewTicketFile'];
export type QueuedTicket = Schemas['QueuedTicket'];
export type StaffTicket = Schemas['StaffTicket'];
export type TicketSorting = Schemas['TicketSorting'];
export type CannedReply = Schemas['CannedReply'];
export type KeptReply = Schemas['KeptReply'];
export type Department = NewTicket['department'];
