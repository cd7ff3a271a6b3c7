// Package tcsign verifies the signatures of requests to Tencent Cloud's API 3.0:
// TC3-HMAC-SHA256 and the older HmacSHA1 and HmacSHA256 ("v1"), by POST and GET,
// as the official clients make them, each in its own way.
//
// Sources: "Signature v3" and "Signature" in the documentation of Tencent Cloud
// API 3.0, and what the SDKs for Go, Node.js and Python send.
package tcsign
