// TLS listeners: which certificate is shown to whom, who must show one, and what stays while files change.
#include <gtest/gtest.h>
#include <openssl/err.h>

#include <filesystem>

#include "daemon/legs/sip/network/server_names.hpp"
#include "tests/support/sip/harness.hpp"
#include "tests/support/sip/stack_client.hpp"

namespace vmr::sip::test {
namespace {

TEST(ServerNames, AWildcardIsOneLabel) {
    EXPECT_TRUE(names_host("sip.example", "sip.example"));
    EXPECT_TRUE(names_host("*.example.org", "a.example.org"));
    EXPECT_FALSE(names_host("*.example.org", "a.b.example.org"));
    EXPECT_FALSE(names_host("*.example.org", "example.org"));
    EXPECT_FALSE(names_host("*.example.org", ".example.org"));
    EXPECT_FALSE(names_host("a.example", "b.example"));
}

// A TLS client that may ask for a name and show a certificate.
class TlsClient {
public:
    TlsClient(std::uint16_t port, const char* name, const TlsConfig* own = nullptr, int version = 0,
              SSL_SESSION* earlier = nullptr, int verify = SSL_VERIFY_NONE)
        : context_(SSL_CTX_new(TLS_client_method())) {
        SSL_CTX_set_verify(context_, verify, nullptr);
        if (own != nullptr) {
            SSL_CTX_use_certificate_chain_file(context_, own->certificate_chain_file.c_str());
            SSL_CTX_use_PrivateKey_file(context_, own->private_key_file.c_str(), SSL_FILETYPE_PEM);
        }
        if (version != 0) {
            SSL_CTX_set_min_proto_version(context_, version);
            SSL_CTX_set_max_proto_version(context_, version);
            SSL_CTX_set_security_level(context_, 0);
        }
        BIO* bio = BIO_new_connect("127.0.0.1");
        BIO_set_conn_port(bio, std::to_string(port).c_str());
        ssl_ = SSL_new(context_);
        SSL_set_bio(ssl_, bio, bio);
        if (name != nullptr) {
            SSL_set_tlsext_host_name(ssl_, name);
        }
        if (earlier != nullptr) {
            SSL_set_session(ssl_, earlier);
        }
        connected_ = SSL_connect(ssl_) == 1;
    }
    ~TlsClient() {
        SSL_free(ssl_);
        SSL_CTX_free(context_);
        ERR_clear_error();
    }
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    bool connected() const { return connected_; }
    std::string server() const {
        X509* certificate = SSL_get0_peer_certificate(ssl_);
        char name[128] = {};
        if (certificate != nullptr) {
            X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
        }
        return name;
    }
    SSL_SESSION* session() const { return SSL_get1_session(ssl_); }
    std::string cipher() const { return SSL_get_cipher_name(ssl_); }
    bool ask() {
        const std::string options =
            "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: "
            "70\r\n"
            "From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: tls\r\nCSeq: 1 OPTIONS\r\n"
            "Content-Length: 0\r\n\r\n";
        return connected_ && SSL_write(ssl_, options.data(), static_cast<int>(options.size())) > 0;
    }
    // What TLS 1.3 refuses after the handshake shows on the first read.
    bool answered() {
        char text[64] = {};
        return ask() && SSL_read(ssl_, text, sizeof text - 1) > 0 &&
               std::string(text).starts_with("SIP/2.0 200");
    }

private:
    SSL_CTX* context_;
    SSL* ssl_ = nullptr;
    bool connected_ = false;
};

class TlsListeners : public testing::Test {
protected:
    TlsListeners()
        : tenant_(make_certificate("tenant.example")), client_(make_certificate("gateway.example")) {
        config_.stack.tls.more = {{tenant_.certificate_chain_file, tenant_.private_key_file}};
        config_.stack.listen = {{Transport::udp, {"127.0.0.1", 0}},
                                {Transport::tls, {"127.0.0.1", 0}},
                                {Transport::tls, {"127.0.0.1", 0}, client_.certificate_chain_file}};
    }
    ~TlsListeners() override {
        for (const TlsConfig& files : {tenant_, client_}) {
            std::filesystem::remove_all(std::filesystem::path(files.private_key_file).parent_path());
        }
    }
    std::uint16_t port(const Harness& harness, bool mutual) const {
        return harness.bound.at(mutual ? 2 : 1).address.port;
    }

    TlsConfig tenant_, client_;
    SipConfig config_;
};

TEST_F(TlsListeners, ShowTheCertificateOfTheNameThatIsAskedFor) {
    Harness harness(config_);
    const auto shown = [&](const char* name) { return TlsClient(port(harness, false), name).server(); };
    EXPECT_EQ(shown("tenant.example"), "tenant.example");
    EXPECT_EQ(shown("TENANT.example"), "tenant.example");
    EXPECT_EQ(shown("first"), "first");
    EXPECT_EQ(shown("stranger.example"), "first");
    EXPECT_EQ(shown(nullptr), "first");
    EXPECT_TRUE(TlsClient(port(harness, false), "tenant.example").answered());
}

TEST_F(TlsListeners, ReloadEachCertificateAndKeepConnections) {
    Harness harness(config_);
    TlsClient old(port(harness, false), "tenant.example");
    replace_certificate_files(tenant_, "other.example");
    Status reloaded = Error{"not run"};
    harness.run([&] { reloaded = harness.legs->reload_certificate(); });
    EXPECT_TRUE(reloaded.ok());
    EXPECT_EQ(TlsClient(port(harness, false), "other.example").server(), "other.example");
    EXPECT_EQ(TlsClient(port(harness, false), "tenant.example").server(), "first");
    EXPECT_TRUE(old.answered());
    std::filesystem::resize_file(tenant_.private_key_file, 0);
    harness.run([&] { reloaded = harness.legs->reload_certificate(); });
    EXPECT_FALSE(reloaded.ok());
    EXPECT_EQ(TlsClient(port(harness, false), "other.example").server(), "other.example");
}

TEST_F(TlsListeners, HearOnlyWhoTheirAuthorityVouchesFor) {
    Harness harness(config_);
    const TlsConfig stranger = make_certificate("stranger.example");
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        EXPECT_TRUE(TlsClient(port(harness, true), nullptr, &client_, version).answered()) << version;
        EXPECT_FALSE(TlsClient(port(harness, true), nullptr, &stranger, version).answered()) << version;
        EXPECT_FALSE(TlsClient(port(harness, true), nullptr, nullptr, version).answered()) << version;
        EXPECT_TRUE(TlsClient(port(harness, false), nullptr, nullptr, version).answered()) << version;
    }
    EXPECT_TRUE(TlsClient(port(harness, true), "tenant.example", &client_).answered()) << "with SNI, too";
    EXPECT_FALSE(TlsClient(port(harness, true), "tenant.example", nullptr).answered());
    std::filesystem::remove_all(std::filesystem::path(stranger.private_key_file).parent_path());
}

// A session that is resumed would be one whose certificate nobody has looked at.
TEST_F(TlsListeners, TakeBackWhoWasThereBefore) {
    config_.stack.tls.client_ca_file = client_.certificate_chain_file;
    Harness harness(config_);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        for (const bool mutual : {false, true}) {
            // Stays open: OpenSSL does not resume a session that was cut off.
            TlsClient first(port(harness, mutual), nullptr, &client_, version);
            EXPECT_TRUE(first.answered()) << version << " " << mutual;
            SSL_SESSION* session = first.session();
            EXPECT_TRUE(TlsClient(port(harness, mutual), nullptr, &client_, version, session).answered())
                << version << " " << mutual;
            SSL_SESSION_free(session);
        }
    }
}

TEST_F(TlsListeners, ShowANameItsCertificateWhateverKindOfKeyItHas) {
    const TlsConfig rsa = make_certificate("rsa.example", KeyKind::rsa);
    config_.stack.tls.more.push_back({rsa.certificate_chain_file, rsa.private_key_file});
    Harness harness(config_);
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        const auto shown = [&](const char* name) {
            return TlsClient(port(harness, false), name, nullptr, version).server();
        };
        EXPECT_EQ(shown("rsa.example"), "rsa.example") << version;
        EXPECT_EQ(shown("tenant.example"), "tenant.example") << version;
        EXPECT_EQ(shown(nullptr), "first") << version;
    }
    std::filesystem::remove_all(std::filesystem::path(rsa.private_key_file).parent_path());
}

TEST_F(TlsListeners, ReloadAKeyOfAnotherKind) {
    Harness harness(config_);
    for (const KeyKind kind : {KeyKind::rsa, KeyKind::ec}) {
        const std::string name = kind == KeyKind::rsa ? "rsa.example" : "ec.example";
        replace_certificate_files(harness.tls, name, kind);
        Status reloaded = Error{"not run"};
        harness.run([&] { reloaded = harness.legs->reload_certificate(); });
        EXPECT_TRUE(reloaded.ok());
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            EXPECT_EQ(TlsClient(port(harness, false), nullptr, nullptr, version).server(), name) << version;
            EXPECT_EQ(TlsClient(port(harness, true), nullptr, &client_, version).server(), name) << version;
        }
    }
}

TEST_F(TlsListeners, ReloadAllFilesOrNone) {
    const TlsConfig authority = make_certificate("far.example");
    config_.stack.outbound.ca_file = authority.certificate_chain_file;
    Harness harness(config_);
    replace_certificate_files(harness.tls, "second");
    replace_certificate_files(tenant_, "other.example");
    const auto reload = [&] {
        Status reloaded = Error{"not run"};
        harness.run([&] { reloaded = harness.legs->reload_certificate(); });
        return reloaded.ok();
    };
    for (const std::string& file : {client_.certificate_chain_file, authority.certificate_chain_file}) {
        std::filesystem::rename(file, file + ".away");
        EXPECT_FALSE(reload()) << file;
        EXPECT_EQ(TlsClient(port(harness, false), nullptr).server(), "first");
        EXPECT_EQ(TlsClient(port(harness, false), "tenant.example").server(), "tenant.example");
        EXPECT_EQ(TlsClient(port(harness, false), "other.example").server(), "first");
        std::filesystem::rename(file + ".away", file);
    }
    EXPECT_TRUE(reload());
    EXPECT_EQ(TlsClient(port(harness, false), nullptr).server(), "second");
    EXPECT_EQ(TlsClient(port(harness, false), "other.example").server(), "other.example");
    std::filesystem::remove_all(std::filesystem::path(authority.private_key_file).parent_path());
}

TEST_F(TlsListeners, SpeakModernTlsOnly) {
    Harness harness(config_);
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
        EXPECT_FALSE(TlsClient(port(harness, false), nullptr, nullptr, version).connected()) << version;
    }
    const TlsClient client(port(harness, false), nullptr, nullptr, TLS1_2_VERSION);
    EXPECT_TRUE(client.connected());
    EXPECT_NE(client.cipher().find("ECDHE"), std::string::npos);
    EXPECT_NE(client.cipher().find("GCM"), std::string::npos);
}

// Phones behind one address, some of which know our authority no more: what they try again and again must not
// make us deaf to the others.
TEST_F(TlsListeners, WhoDoesNotTakeOurCertificateIsNoOffender) {
    config_.ban_loopback = true;
    config_.stack.bans.offences = 10;
    config_.stack.listen.push_back({Transport::tcp, {"127.0.0.1", 0}});
    Harness harness(config_);
    constexpr std::uint64_t kTries = 60;
    for (std::uint64_t count = 0; count < kTries; ++count) {
        const int version = count % 2 == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
        EXPECT_FALSE(
            TlsClient(port(harness, false), nullptr, nullptr, version, nullptr, SSL_VERIFY_PEER).connected());
    }
    EXPECT_TRUE(harness.wait([&] { return harness.legs->statistics().handshakes_failed == kTries; }));
    EXPECT_EQ(harness.legs->statistics().bans, 0U);
    EXPECT_TRUE(alive(harness, Transport::tcp));
}

// Whose certificate it is reaches who decides about the call (RFC 5922 section 7.1).
TEST_F(TlsListeners, TellThePeersNames) {
    const TlsConfig own = make_certificate("bridge.example");
    StackConfig config;
    config.tls = {own.certificate_chain_file, own.private_key_file, {}, {}};
    config.listen = {{Transport::tls, {"127.0.0.1", 0}, client_.certificate_chain_file}};
    StackClient stack({}, config);
    TlsClient gateway(stack.bound.at(0).address.port, nullptr, &client_);
    ASSERT_TRUE(gateway.ask());
    ASSERT_TRUE(stack.wait([&] { return !stack.messages.empty(); }));
    EXPECT_EQ(stack.messages[0].flow.peer_domains, std::vector<std::string>{"gateway.example"});
    EXPECT_NE(stack.messages[0].flow.peer_certificate.find("gateway.example"), std::string::npos);
    EXPECT_FALSE(stack.messages[0].flow.opened_by_us);
    std::filesystem::remove_all(std::filesystem::path(own.private_key_file).parent_path());
}

}  // namespace
}  // namespace vmr::sip::test
