// One network open in onnxruntime: owns the session, turns its status objects into errors.
#pragma once

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "errors.hpp"
#include "onnxruntime_abi.hpp"

namespace na64ml {

/// Memory of the caller that the runtime reads or writes.
struct Tensor {
    void* data;
    std::size_t n_bytes;
    std::vector<std::int64_t> shape;
    ONNXTensorElementDataType type;

    static Tensor of(const float* data, std::vector<std::int64_t> shape) {
        return make(data, std::move(shape), ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
    }
    static Tensor of(const std::int64_t* data, std::vector<std::int64_t> shape) {
        return make(data, std::move(shape), ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64);
    }

private:
    template <class T>
    static Tensor make(const T* data, std::vector<std::int64_t> shape, ONNXTensorElementDataType type) {
        std::size_t n = 1;
        for (const auto length : shape) n *= static_cast<std::size_t>(length);
        static const T nothing{};  // the runtime refuses a null pointer, even to no elements
        return {const_cast<T*>(n ? data : &nothing), n * sizeof(T), std::move(shape), type};
    }
};

/// An object of the runtime, released when its owner goes.
template <class T>
class Handle {
public:
    Handle() = default;
    Handle(Handle&& other) noexcept : object_(std::exchange(other.object_, nullptr)), release_(other.release_) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(object_, other.object_);
        std::swap(release_, other.release_);
        return *this;
    }
    ~Handle() {
        if (object_) release_(object_);
    }

    T* get() const { return object_; }

    /// Where a function of the runtime puts the object, which `release` will release.
    T** filled_by(void (*release)(T*)) {
        release_ = release;
        return &object_;
    }

private:
    T* object_ = nullptr;
    void (*release_)(T*) = nullptr;
};

/// A network file open in the runtime. Threads may share one and call `run` at the same time.
class Runtime {
public:
    Runtime(const std::string& model, int threads) : model_(model), api_(open_api()) {
        if (!std::ifstream(model)) {
            throw ConfigError(model + ": no such file; give an ONNX file written by 'na64ml export'");
        }
        check(api_->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "na64ml", environment_.filled_by(api_->ReleaseEnv)));
        check(api_->GetAllocatorWithDefaultOptions(&allocator_));
        Handle<OrtSessionOptions> options;
        check(api_->CreateSessionOptions(options.filled_by(api_->ReleaseSessionOptions)));
        check(api_->SetIntraOpNumThreads(options.get(), threads));
        check(api_->SetInterOpNumThreads(options.get(), 1));
        load(options.get());
        check(api_->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault,
                                        memory_.filled_by(api_->ReleaseMemoryInfo)));
    }

    /// The text of a metadata property of the file; false if it has none of this name.
    bool property(const char* name, std::string& text) const {
        Handle<OrtModelMetadata> metadata;
        check(api_->SessionGetModelMetadata(session_.get(), metadata.filled_by(api_->ReleaseModelMetadata)));
        char* found = nullptr;
        check(api_->ModelMetadataLookupCustomMetadataMap(metadata.get(), allocator_, name, &found));
        if (found) text = taken(found);
        return found != nullptr;
    }

    std::vector<std::string> input_names() const {
        return names(api_->SessionGetInputCount, api_->SessionGetInputName);
    }

    std::vector<std::string> output_names() const {
        return names(api_->SessionGetOutputCount, api_->SessionGetOutputName);
    }

    /// Run the network; the tensors are in the order of the names, results are written into `outputs`.
    void run(const std::vector<std::string>& input_names, const std::vector<Tensor>& inputs,
             const std::vector<std::string>& output_names, const std::vector<Tensor>& outputs) const {
        const auto read = values(inputs), written = values(outputs);
        std::vector<const OrtValue*> read_pointers;
        std::vector<OrtValue*> written_pointers;
        for (const auto& value : read) read_pointers.push_back(value.get());
        for (const auto& value : written) written_pointers.push_back(value.get());
        const auto read_names = c_strings(input_names), written_names = c_strings(output_names);
        check(api_->Run(session_.get(), nullptr, read_names.data(), read_pointers.data(), read.size(),
                        written_names.data(), written.size(), written_pointers.data()));
    }

private:
    std::string model_;
    const OrtApi* api_;
    Handle<OrtEnv> environment_;
    OrtAllocator* allocator_ = nullptr;  // the default one, which the runtime owns
    Handle<OrtSession> session_;
    Handle<OrtMemoryInfo> memory_;

    static const OrtApi* open_api() {
        const OrtApiBase* base = OrtGetApiBase();
        const std::string version = base->GetVersionString();
        int major = 0, minor = 0;
        if (std::sscanf(version.c_str(), "%d.%d", &major, &minor) != 2 || major != 1 || minor < abi::oldest_minor) {
            throw ConfigError("onnxruntime " + version + " was found, 1." + std::to_string(abi::oldest_minor) +
                              " or a later 1.x is needed; link another library");
        }
        const OrtApi* api = base->GetApi(abi::api_version);
        if (!api) throw ConfigError("onnxruntime " + version + " does not serve its C interface; link another library");
        return api;
    }

    void load(const OrtSessionOptions* options) {
        OrtStatus* status =
            api_->CreateSession(environment_.get(), model_.c_str(), options, session_.filled_by(api_->ReleaseSession));
        if (!status) return;
        const bool damaged = api_->GetErrorCode(status) == ORT_INVALID_PROTOBUF;
        const std::string reason = message(status);
        throw ConfigError(model_ + (damaged ? ": is not an ONNX network file, or a damaged one; give a file written by "
                                              "'na64ml export'"
                                            : ": cannot be loaded (" + reason + "); export the network again"));
    }

    std::string message(OrtStatus* status) const {
        std::string text = api_->GetErrorMessage(status);
        api_->ReleaseStatus(status);
        return text;
    }

    void check(OrtStatus* status) const {
        if (status) throw Error(model_ + ": onnxruntime failed: " + message(status));
    }

    std::string taken(char* allocated) const {
        std::string text = allocated;
        check(api_->AllocatorFree(allocator_, allocated));
        return text;
    }

    template <class Count, class Name>
    std::vector<std::string> names(Count count, Name name) const {
        std::size_t n = 0;
        check(count(session_.get(), &n));
        std::vector<std::string> found(n);
        for (std::size_t i = 0; i < n; ++i) {
            char* text = nullptr;
            check(name(session_.get(), i, allocator_, &text));
            found[i] = taken(text);
        }
        return found;
    }

    std::vector<Handle<OrtValue>> values(const std::vector<Tensor>& tensors) const {
        std::vector<Handle<OrtValue>> made(tensors.size());
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            const Tensor& tensor = tensors[i];
            check(api_->CreateTensorWithDataAsOrtValue(memory_.get(), tensor.data, tensor.n_bytes, tensor.shape.data(),
                                                       tensor.shape.size(), tensor.type,
                                                       made[i].filled_by(api_->ReleaseValue)));
        }
        return made;
    }

    static std::vector<const char*> c_strings(const std::vector<std::string>& words) {
        std::vector<const char*> pointers;
        for (const auto& word : words) pointers.push_back(word.c_str());
        return pointers;
    }
};

}  // namespace na64ml
