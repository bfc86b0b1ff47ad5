# Leaves out of the llama.cpp build what Offhand never loads. llama-cpp-python forces LLAMA_BUILD_COMMON on in the
# cache; an ordinary variable set here, before that line, wins over it (CMake policy CMP0126).
set(LLAMA_BUILD_COMMON OFF)
