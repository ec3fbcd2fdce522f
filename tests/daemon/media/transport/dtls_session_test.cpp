// Two handshakes talk to each other through queues: no sockets, and loss by hand.
#include "daemon/media/transport/dtls_session.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "tests/daemon/media/transport/endpoint.hpp"

namespace vmr::media::test {
namespace {

class Side : public DtlsEvents {
public:
    void on_dtls_datagram_made(Bytes datagram) override {
        largest = std::max(largest, datagram.size());
        made.append(datagram.begin(), datagram.end());
        if (lose > 0) {
            lose--;
        } else {
            sent.emplace_back(datagram.begin(), datagram.end());
        }
    }
    void on_dtls_keyed(const SrtpKeys& made) override { keys = made; }
    void on_dtls_failed(const std::string& why) override { failure = why; }
    void on_dtls_closed() override { closed = true; }

    std::deque<std::vector<uint8_t>> sent;
    std::string made;  // all of it
    std::optional<SrtpKeys> keys;
    std::string failure;
    bool closed = false;
    int lose = 0;
    size_t largest = 0;
};

class DtlsSessionTest : public testing::Test {
protected:
    DtlsParams params(DtlsParams::Role role, const DtlsCertificate& peer,
                      FingerprintHash hash = FingerprintHash::sha256) {
        return {{{hash, peer.fingerprint(hash)}}, role};
    }
    void exchange() {
        while (!client.sent.empty() || !server.sent.empty()) {
            deliver(client, *server_session);
            deliver(server, *client_session);
        }
    }
    static void deliver(Side& from, DtlsSession& to) {
        while (!from.sent.empty()) {
            const auto datagram = std::move(from.sent.front());
            from.sent.pop_front();
            to.feed(datagram);
        }
    }
    void make(const DtlsParams& of_server, const DtlsParams& of_client) {
        server_session = std::make_unique<DtlsSession>(server_certificate, of_server, server);
        client_session = std::make_unique<DtlsSession>(client_certificate, of_client, client);
        server_session->start();
        client_session->start();
    }
    void make_matching(FingerprintHash hash = FingerprintHash::sha256) {
        make(params(DtlsParams::Role::server, *client_certificate, hash),
             params(DtlsParams::Role::client, *server_certificate, hash));
    }

    std::shared_ptr<DtlsCertificate> server_certificate = *DtlsCertificate::generate();
    std::shared_ptr<DtlsCertificate> client_certificate = *DtlsCertificate::generate();
    Side server, client;
    std::unique_ptr<DtlsSession> server_session, client_session;
};

// It goes in the clear, to whoever is on the path.
TEST_F(DtlsSessionTest, TheCertificateSaysNothingOfTheSoftware) {
    make_matching();
    exchange();
    for (const Side* side : {&server, &client}) {
        EXPECT_NE(side->made.find("WebRTC"), std::string::npos) << "the name that it has";
    }
    for (const auto& certificate : {server_certificate, client_certificate}) {
        const X509* x509 = SSL_CTX_get0_certificate(certificate->context());
        for (const X509_NAME* name : {X509_get_subject_name(x509), X509_get_issuer_name(x509)}) {
            char text[256];
            EXPECT_STREQ(X509_NAME_oneline(name, text, sizeof text), "/CN=WebRTC");
        }
    }
}

TEST_F(DtlsSessionTest, KeysAreCrossed) {
    for (const auto hash : {FingerprintHash::sha256, FingerprintHash::sha384, FingerprintHash::sha512}) {
        server.keys = client.keys = std::nullopt;
        make_matching(hash);
        exchange();
        ASSERT_TRUE(server.keys && client.keys) << server.failure << client.failure;
        EXPECT_EQ(server.keys->suite, SrtpSuite::aead_aes_256_gcm);
        EXPECT_EQ(server.keys->local, client.keys->remote);
        EXPECT_EQ(server.keys->remote, client.keys->local);
        EXPECT_NE(server.keys->local, server.keys->remote);
        EXPECT_EQ(server.keys->local.size(), 44u);
        EXPECT_LE(server.largest, 1200u);
        EXPECT_LE(client.largest, 1200u);
    }
}

// The weakest last, as with SDES: of what a client knows the strongest is chosen.
TEST_F(DtlsSessionTest, TheStrongestCommonProfileIsChosen) {
    const std::pair<const char*, SrtpSuite> cases[] = {
        {"SRTP_AES128_CM_SHA1_32", SrtpSuite::aes_cm_128_hmac_sha1_32},
        {"SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80", SrtpSuite::aes_cm_128_hmac_sha1_80},
        {"SRTP_AES128_CM_SHA1_32:SRTP_AEAD_AES_128_GCM", SrtpSuite::aead_aes_128_gcm},
    };
    for (const auto& [profiles, suite] : cases) {
        ASSERT_EQ(SSL_CTX_set_tlsext_use_srtp(client_certificate->context(), profiles), 0);
        server.keys = client.keys = std::nullopt;
        make_matching();
        exchange();
        ASSERT_TRUE(server.keys && client.keys) << profiles << server.failure << client.failure;
        EXPECT_EQ(server.keys->suite, suite) << profiles;
        EXPECT_EQ(client.keys->suite, suite) << profiles;
        EXPECT_EQ(server.keys->local, client.keys->remote);
    }
}

TEST_F(DtlsSessionTest, LowerCaseFingerprintMatches) {
    DtlsParams of_server = params(DtlsParams::Role::server, *client_certificate);
    for (char& character : of_server.fingerprints[0].value) {
        character = g_ascii_tolower(character);
    }
    make(of_server, params(DtlsParams::Role::client, *server_certificate));
    exchange();
    EXPECT_TRUE(server.keys.has_value());
}

TEST_F(DtlsSessionTest, LostFlightsAreSentAgain) {
    server.lose = 2;
    make_matching();
    EXPECT_TRUE(wait_until([&] {
        exchange();
        client_session->handle_timeout();
        server_session->handle_timeout();
        return server.keys && client.keys;
    }));
    EXPECT_FALSE(client_session->timeout().has_value());
}

TEST_F(DtlsSessionTest, ForgedCertificateEndsInAnAlertAndNoKeys) {
    make(params(DtlsParams::Role::server, *server_certificate),
         params(DtlsParams::Role::client, *server_certificate));
    exchange();
    EXPECT_NE(server.failure.find("fingerprint"), std::string::npos);
    EXPECT_FALSE(server.keys.has_value());
    EXPECT_FALSE(client.failure.empty());
}

TEST_F(DtlsSessionTest, GarbageDoesNotDisturb) {
    make_matching();
    for (int i = 0; i < 200; i++) {
        std::vector<uint8_t> garbage(1 + i * 7);
        for (uint8_t& byte : garbage) {
            byte = static_cast<uint8_t>(g_random_int());
        }
        garbage[0] = static_cast<uint8_t>(64 + i % 64);  // no DTLS content type
        server_session->feed(garbage);
        client_session->feed(garbage);
    }
    exchange();
    EXPECT_TRUE(server.keys && client.keys) << server.failure << client.failure;
}

TEST_F(DtlsSessionTest, CloseIsToldToThePeer) {
    make_matching();
    exchange();
    client_session->close();
    exchange();
    EXPECT_TRUE(server.closed);
}

}  // namespace
}  // namespace vmr::media::test
