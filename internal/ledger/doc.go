// Package ledger serves what became of every shot and event, as JSON over HTTP
// under [Path]: shots, deliveries with their attempts, destinations, live streams;
// and what an operator does about them: replay, pause, resume, test.
//
//	request ─► limits ─► credential ─► route ─► parameters ─► operation ─► reply
//	                                               │              │
//	                       refused by name ◄───────┘              └─► audit line, of a change
//
// Each operation is one entry of one table, see operations. Its parameters and
// its reply are Go types; the checks of the parameters and the OpenAPI document
// are both made from them, so that neither can say something else than the other.
//
// What is kept, and who sends, is behind interfaces that internal/app fulfils.
package ledger
